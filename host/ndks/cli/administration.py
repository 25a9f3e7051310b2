# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands of a network's administrator: network another, revoke, retire, refresh, merge and publish."""

import argparse
from dataclasses import replace
from typing import Any

from ndks.exceptions import NdksError
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.administrator_file import SUFFIX
from ndks.network.generation import AdmittedMember, Operators, State
from ndks.system_errors import file_errors
from ndks.whole_file import refuse_taken
from ndks_protocol.generator import F1, F2

from . import admitted_units
from .admitted_units import described, named
from .arguments import add_operators, add_path, need, new_path, whole
from .confirmation import confirm
from .output import Output
from .parser import Parser, add_command
from .publication import add_file, add_publication, change, channel_of, members, opened, publish, told, values_of
from .upgrade import add_upgrade

_ANOTHER_EXAMPLES = f"  ndks network another office{SUFFIX} -o second{SUFFIX}"
_REVOKE_EXAMPLES = f"""\
  ndks network revoke office{SUFFIX} 3                           the unit on lane 3
  ndks network revoke office{SUFFIX} 3449387DD188BE6A alice      by serial number, by label
  ndks network revoke office{SUFFIX} 3 --yes --carrier mqtts://broker.example/ndks/office"""
_RETIRE_EXAMPLES = f"""\
  ndks zeroize                                  seen with your own eyes
  ndks network retire office{SUFFIX} 3"""
_REFRESH_EXAMPLES = f"""\
  ndks network refresh office{SUFFIX}
  ndks network refresh office{SUFFIX} -d 4 --f1 hyperbolic       other operators from now on"""
_MERGE_EXAMPLES = f"""\
  ndks network merge office{SUFFIX} --carrier mqtts://broker.example/ndks/office
  ndks network merge office{SUFFIX} second{SUFFIX}"""
_PUBLISH_EXAMPLES = f"""\
  ndks network publish office{SUFFIX} --carrier dir:/media/stick
  ndks network publish office{SUFFIX} --carrier udp://239.192.7.7:7000 --seconds 600"""


def add_administration(kinds: Any) -> None:
    another_help = "make the file of another administrator: a network has at most four"
    parser = add_command(kinds, "another", another_help, _ANOTHER_EXAMPLES, another)
    add_file(parser)
    add_path(parser, "-o", "--output", metavar="OTHER", required=True, help="the file to write, which must be new")

    parser = add_command(kinds, "revoke", "shut out units that were lost or stolen", _REVOKE_EXAMPLES, revoke)
    _add_who(parser)
    parser = add_command(kinds, "retire", "let units go that were seen erased", _RETIRE_EXAMPLES, retire)
    _add_who(parser)

    refresh_help = "begin a new generation with new secrets, and other operators if they are named"
    parser = add_command(kinds, "refresh", refresh_help, _REFRESH_EXAMPLES, refresh)
    add_file(parser)
    parser.add_argument("-d", "--digits", metavar="D", type=whole, help="decimal places d, 1 to 12 (default: as now)")
    add_operators(parser, "as now")

    merge_help = "learn what other administrators did, and merge what they and this one did apart"
    parser = add_command(kinds, "merge", merge_help, _MERGE_EXAMPLES, merge)
    add_file(parser)
    add_path(
        parser, "others", nargs="*", metavar="OTHER", help="another's file, a package, or a file of a dir: carrier"
    )

    add_upgrade(kinds)

    publish_help = "bring the last generations to the members, until one of them is heard in the newest"
    parser = add_command(kinds, "publish", publish_help, _PUBLISH_EXAMPLES, publish_all)
    add_path(parser, "file", completes="ADMINISTRATOR", metavar="FILE", help=f"the administrator's file, NAME{SUFFIX}")
    add_publication(parser, required=True)


def _add_who(parser: Parser) -> None:
    add_file(parser)
    parser.add_argument("who", metavar="UNIT", nargs="+", help="lane, serial number or label")


def another(args: argparse.Namespace, out: Output) -> None:
    refuse_taken(new_path(args))

    def what(state: Administration) -> str:
        number = state.another()[1].number
        return (
            f"{args.output} will be the file of administrator {number} of network {state.network.name}, who can admit "
            f"and revoke as this one, and reads everything."
        )

    other, values = change(args, what, Administrator.another)
    try:
        administrator_file.save(other, args.output)
    except NdksError as error:
        spent = f"number {other.number} and its {other.revocations} revocations are spent: none is ever given twice"
        error.advice = f"{spent}; repeat for the next number, with a file that can be written"
        raise
    text = f"{args.output} is the file of administrator {other.number}; {other.revocations} revocations are theirs"
    values = values_of(args.output, other) | {"administrator": other.number, "revocations": other.revocations}
    out.done(values, f"{text}. Bring it there secretly, and leave no copy: two copies of one file are not safe.")


def revoke(args: argparse.Namespace, out: Output) -> None:
    text = "shut out of network {}, for ever. Until a member hears of that, the unit can read it, and deceive it."
    _let_go(args, out, State.REVOKED, text)


def retire(args: argparse.Namespace, out: Output) -> None:
    text = "no longer a member of network {}. It must have been seen erased: a unit that was not is to be revoked."
    _let_go(args, out, State.RETIRED, text)


def _let_go(args: argparse.Namespace, out: Output, state: State, text: str) -> None:
    def what(now: Administration) -> str:
        chosen = named(now, args.who, state)
        now.with_state([member.lane for member in chosen], state)  # raises what cannot be done
        who = ", ".join(map(described, chosen))
        left = len(now.present) - sum(member.state == State.IN for member in chosen)
        begins = f"Generation {now.next_g()} begins for {members(left)}."
        return f"{who} will be {text.format(now.network.name)} {begins}"

    def do(administrator: Administrator) -> list[AdmittedMember]:
        chosen = named(administrator.state, args.who, state)
        lanes = [member.lane for member in chosen]
        administrator.revoke(lanes) if state == State.REVOKED else administrator.retire(lanes)
        administrator.issue()
        return chosen

    gone, values = change(args, what, do)
    units = [admitted_units.values_of(replace(member, state=state)) for member in gone]
    lines = [f"{described(member)} is {state.name.lower()}" for member in gone]
    out.done(values | {"units": units}, "\n".join([*lines, told(values)]))


def refresh(args: argparse.Namespace, out: Output) -> None:
    def what(state: Administration) -> str:
        operators = _operators(args, state)
        how = f", and d = {operators[0]}, f1 {F1[operators[1]]}, f2 {F2[operators[2]]}" if _is_other(args) else ""
        need(bool(state.present), "this network has no members yet", "ndks join approve admits one")
        who = f"{members(len(state.present))} of network {state.network.name}"
        return f"Generation {state.next_g()} begins for {who}, with new secrets{how}."

    def do(administrator: Administrator) -> Operators:
        operators = _operators(args, administrator.state)
        administrator.issue(operators=operators)
        return operators

    (digits, f1, f2), values = change(args, what, do)
    out.done(values | {"digits": digits, "f1": F1[f1], "f2": F2[f2]}, told(values))


def _is_other(args: argparse.Namespace) -> bool:
    return args.digits is not None or bool(args.f1 or args.f2)


def _operators(args: argparse.Namespace, state: Administration) -> Operators:
    """Return the operators of the next generation. UsageError: there are none such."""
    digits, f1, f2 = state.operators
    digits = digits if args.digits is None else args.digits
    names = args.f1 or F1[f1], args.f2 or F2[f2]
    replace(state.network, digits=digits, f1=names[0], f2=names[1])  # checks them
    return digits, F1.index(names[0]), F2.index(names[1])


def merge(args: argparse.Namespace, out: Output) -> None:
    from ndks.agent.running.merging import bundles_in, checked, learn  # here, because it is slow to import

    need(bool(args.others or args.carrier), "nothing is named to learn from", "name OTHER, or --carrier URL")
    with file_errors():
        contents = [content for path in args.others for content in bundles_in(path)]
    before = administrator_file.load(args.file)
    bundles = checked(before, contents)
    confirm(
        args,
        f"{args.file} learns what other administrators of network {before.network.name} did. If they and this one "
        f"changed it apart, a new generation unites both: a unit that either revoked is revoked.",
    )
    with channel_of(args) as channel:
        if channel:
            channel.learn()
        with opened(args.file, adopt=True) as administrator:
            merged = learn(administrator, bundles) or (channel is not None and channel.has_merged)
            state = administrator.state
        values = values_of(args.file, state) | publish(args, channel, state.g, is_anybody=bool(state.present))
    is_new = state.generations != before.generations
    text = "a new generation unites both sides" if merged else "learned" if is_new else "nothing was new"
    out.done(values | {"merged": merged}, f"{text}\n{told(values)}" if state.g > before.g else text)


def publish_all(args: argparse.Namespace, out: Output) -> None:
    state = administrator_file.load(args.file)
    need(bool(state.bundles), "there is no generation to publish yet", "ndks join approve makes the first one")
    with channel_of(args) as channel:
        if channel:
            channel.learn()
        state = administrator_file.load(args.file)
        told_of = publish(args, channel, state.g, is_anybody=bool(state.present))
    values = values_of(args.file, administrator_file.load(args.file)) | told_of
    out.done(values, told(values))
