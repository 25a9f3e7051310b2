# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command role, and `network renew`: what a member may do in its network, through its agent."""

import argparse
from typing import Any

from .agent_client import client
from .arguments import add_unit
from .confirmation import add_yes, confirm
from .output import Output
from .parser import Parser, add_command, set_up

_ROLES = {
    "elected": "lead if the others fall silent",
    "relay": "lead whenever it sends, and if the others fall silent",
    "monitor": "only listen, and never lead",
}
_ROLE_EXAMPLES = """\
  ndks role elected                     as all units at first
  ndks role relay --unit 3449387DD188BE6A
  ndks role monitor --yes"""
_RENEW_EXAMPLES = "  ndks network renew"


def add_role(parser: Parser) -> None:
    set_up(parser, _ROLE_EXAMPLES, role)
    meanings = "; ".join(f"{name}: {meaning}" for name, meaning in _ROLES.items())
    parser.add_argument("role", metavar="ROLE", choices=tuple(_ROLES), help=meanings)
    add_yes(parser)
    add_unit(parser, "the only one with an agent")


def add_renew(kinds: Any) -> None:
    renew_help = "begin the next epoch: all members move on, and give up what they no longer need"
    parser = add_command(kinds, "renew", renew_help, _RENEW_EXAMPLES, renew)
    add_yes(parser)
    add_unit(parser, "the only one with an agent")


def role(args: argparse.Namespace, out: Output) -> None:
    with client(args) as agent:
        confirm(args, f"{_unit(agent)} will {_ROLES[args.role]}.")
        agent.ask("role", role=args.role)
    out.done({"role": args.role}, f"role {args.role}")


def renew(args: argparse.Namespace, out: Output) -> None:
    with client(args) as agent:
        confirm(args, f"{_unit(agent)} leads, and all members of its network move to the next epoch.")
        answer = agent.ask("renew")
    values = {"generation": answer["generation"], "number": answer["number"]}
    out.done(values, f"generation {values['generation']}, epoch {values['number']}")


def _unit(agent: Any) -> str:
    unit = agent.ask("status")["unit"]
    return f"the unit on lane {unit['lane']}" if unit["present"] else "the unit of this agent"
