# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units of a network as its administrator names them, and as answers tell of them."""

from collections.abc import Iterable
from typing import Any

from ndks.exceptions import UsageError
from ndks.network.administration import Administration
from ndks.network.generation import AdmittedMember, State

from .arguments import need


def named(state: Administration, who: Iterable[str], to: State) -> list[AdmittedMember]:
    """Return the members that are named, each once. UsageError: there are none or several, or they are `to` already."""
    members = {(member := _member(state, text, to)).lane: member for text in who}
    return list(members.values())


def _member(state: Administration, text: str, to: State) -> AdmittedMember:
    need(bool(text), "the name of a unit is empty", "name it by lane, serial number or label")
    lane = int(text) if text.isdecimal() and len(text) < 6 else 0
    matching = [
        member
        for member in state.members
        if member.lane == lane or member.serial_number == text.upper() or member.admission.label == text
    ]
    present = [member for member in matching if member.state == State.IN]
    # A unit that was retired, and not erased after all, is revoked.
    found = present or [member for member in matching if member.state < to]
    advice = "see all units: ndks network show FILE"
    if len(found) > 1:
        raise UsageError(f"several units are named {text}", f"name one by its lane; {advice}")
    if not found and matching:
        raise UsageError(f"{described(matching[-1])} is {matching[-1].state.name.lower()} already", advice)
    if not found:
        raise UsageError(f"no unit of this network has lane, serial number or label {text!r}", advice)
    return found[0]


def described(member: AdmittedMember) -> str:
    label = f", {member.admission.label}" if member.admission.label else ""
    return f"unit {member.serial_number} (lane {member.lane}{label})"


def values_of(member: AdmittedMember) -> dict[str, Any]:
    who = {"serial_number": member.serial_number, "label": member.admission.label}
    return {"lane": member.lane, **who, "state": member.state.name.lower()}
