# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent knows, for people: `network status`."""

import argparse
from datetime import datetime
from typing import Any

from .agent_client import client
from .output import Output

EXAMPLES = "  ndks network status\n  ndks network status --json"
_WHY_LOST = {
    "not_kept": "its sender has it no longer",
    "generation": "it belongs to a generation that this unit does not hold",
    "epoch": "it belongs to an epoch that this unit has given up",
}


def show_status(args: argparse.Namespace, out: Output) -> None:
    with client(args) as agent:
        values = agent.ask("status")
    out.result(values, "\n".join(_status_lines(values)))


def _status_lines(values: dict[str, Any]) -> list[str]:
    unit, outbox = values["unit"], values["outbox"]
    lines = [_unit_line(unit), f"own messages  {outbox['kept']} kept, {outbox['waits']} wait to be sealed"]
    lines.append(f"arrived       {values['arrivals']} not received yet")
    lines += [_sender_line(sender) for sender in values["senders"]]
    lines += [_member_line(member) for member in values["members_seen"]]
    lines += check_lines(values["checks"])
    return lines + [f"carrier       {each['url']}: {_carrier(each)}" for each in values["carriers"]]


def _carrier(carrier: dict[str, Any]) -> str:
    return f"{carrier['code']}: {carrier['problem']}. Do: {carrier['advice']}" if carrier["problem"] else "connected"


def _unit_line(unit: dict[str, Any]) -> str:
    if not unit["present"]:
        return f"unit          not there: {unit['problem'] or 'not seen yet'}"
    if unit["generation"] is None:
        return f"unit          lane {unit['lane']}, waits for its first generation"
    master = "nobody" if unit["master"] is None else f"lane {unit['master']}"
    epoch = f"generation {unit['generation']}, epoch {unit['number']}"
    revoked = f"{unit['revoked']} lane{'' if unit['revoked'] == 1 else 's'} revoked"
    return f"unit          lane {unit['lane']}, {unit['role']}; {epoch}; {master} leads; {revoked}"


def _sender_line(sender: dict[str, Any]) -> str:
    parts = [f"up to {sender['delivered'][-1][1]} delivered" if sender["delivered"] else "nothing delivered"]
    if missing := ", ".join(_span(*span) for span in sender["missing"]):
        parts.append(f"missing {missing}, {sender['waits']} wait for it")
    parts += [lost(span) for span in sender["lost"]]
    return f"lane {sender['lane']:<8} {'; '.join(parts)}"


def _member_line(member: dict[str, Any]) -> str:
    at = datetime.fromisoformat(member["heard"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    where = f"in generation {member['generation']}, epoch {member['number']}"
    by = f", by {member['carrier']}" if member["carrier"] else ""
    return f"{'heard':<13} lane {member['lane']} at {at}, {where}{by}"


def lost(span: dict[str, Any]) -> str:
    """Return what is said of lost messages, and why they are."""
    return f"{_span(span['first'], span['last'])} lost: {_WHY_LOST[span['why']]}"


def check_lines(checks: dict[str, Any]) -> list[str]:
    """Return what is said of checks by another channel: those that are due, and those that failed."""
    from ndks.agent.running.checks import text_of

    lines = [f"{'check':<13} {text_of(due)}" for due in checks["due"]]
    return lines + [f"{'check FAILED':<13} {failure_text(each)}" for each in checks["failures"]]


def failure_text(failure: dict[str, Any]) -> str:
    """Return what is said of a check whose words differed, and what to do."""
    name, how = failure["message"], f"as {failure['who']} said by {failure['channel']}, {failure['when']}"
    message = f"--message {name}" if ":" in name else "CAPSULE"
    return (
        f"message {name}: the words differ, {how}; find out why, ndks confine record, "
        f'and then run ndks check {message} --resolve "WHAT IT WAS"'
    )


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first} to {last}"
