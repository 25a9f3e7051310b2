# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The comparison of messages: who makes different keys for them, and which capsules the channel has altered."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from .findings import Finding, Kind
from .record import MessageRecord, Record

_CHANNEL = {"AUTH", "HEADER", "CAPSULE_VERSION"}  # what units say of capsules that were altered or cut off
_DIVERGED, _OWN = "DIVERGED", "REFLECTED"
_SHORT = 12  # digits of a capsule's SHA-256 in a text

Said = tuple[Record, MessageRecord]


def compare_messages(records: Sequence[Record], named: AbstractSet[str]) -> Iterator[Finding]:
    """Yield what is found in the messages; units that have already been `named` are not believed."""
    capsules = {each.capsule for record in records for each in record.messages}
    for capsule in sorted(capsules):
        said = [(record, each) for record in records for each in record.messages if each.capsule == capsule]
        believed = [(record, each) for record, each in said if record.serial_number not in named]
        sender = next((each.lane for _, each in believed if each.lane is not None), None)
        if not any(record.lane == sender and record.serial_number in named for record in records):
            yield from _of_capsule(capsule, believed, sender)


def _of_capsule(capsule: str, said: list[Said], sender: int | None) -> Iterator[Finding]:
    opened = [(record, each) for record, each in said if not each.error]
    diverged = [(record, each) for record, each in said if each.error == _DIVERGED]
    altered = [(record, each) for record, each in said if each.error in _CHANNEL]
    name = f"capsule {capsule[:_SHORT]}"
    if altered and not opened and not diverged:
        yield _channel(name, altered, [record for record, each in said if each.error == _OWN])
    elif altered:
        yield from _refusing(name, altered, "others open it: a capsule that is the same was not altered on its way")
    if diverged:
        yield _divergence(name, diverged, opened, sender)
    elif len({each.check for _, each in opened}) > 1:
        units = tuple(record.serial_number for record, _ in opened)
        advice = "record more units: ndks confine compare names the one that differs from most"
        yield Finding(Kind.CANNOT_TELL, units, f"{name}: units that open it have other check values", advice)
    others = [pair for pair in said if pair[1].error not in ("", _DIVERGED, _OWN, *_CHANNEL)]
    yield from _refusing(name, others, "that says nothing of the channel")


def _channel(name: str, altered: list[Said], owners: list[Record]) -> Finding:
    units = tuple(record.serial_number for record, _ in altered)
    code = altered[0][1].error
    if owners:  # its own unit knows the capsule as it is
        text = f"{name}: {altered[0][0].name} does not open what {owners[0].name} has made ({code})"
        return Finding(Kind.REFUSED, units, text, "record the messages of both once more")
    who = (
        "a unit whose keys are right refuses" if len(units) == 1 else f"{len(units)} units whose keys are right refuse"
    )
    text = f"the channel altered {name}: {who} it ({code})"
    advice = "have it sent again; ndks confine compare --capsule SENT RECEIVED names the bits that differ"
    return Finding(Kind.CHANNEL, units, text, advice)


def _divergence(name: str, diverged: list[Said], opened: list[Said], sender: int | None) -> Finding:
    """Name who made a different key for a message: a unit that differs from most, or the sender, or nobody."""
    advice = "do not use its keys: eject it, test it with ndks homologate, and replace it"
    units = tuple(record.serial_number for record, _ in diverged)
    if len(opened) >= len(diverged):
        names = ", ".join(record.name for record, _ in diverged)
        return Finding(Kind.DIVERGES, units, f"{name}: {names} makes another key for it than others do", advice)
    if len(diverged) > 1 and len({each.check for _, each in diverged}) == 1:
        text = f"{name}: its sender, lane {sender}, made another key for it than {len(diverged)} units that agree"
        return Finding(Kind.DIVERGES, (f"lane {sender}",), text, advice)
    more = "record a third unit of the network, or name the network file: ndks confine compare --network FILE"
    text = f"{name}: its sender, lane {sender}, or {diverged[0][0].name} made another key for it; nothing tells which"
    return Finding(Kind.CANNOT_TELL, units, text, more)


def _refusing(name: str, said: list[Said], why: str) -> Iterator[Finding]:
    for record, each in said:
        text = f"{name}: {record.name} refuses it ({each.error}); {why}"
        yield Finding(Kind.REFUSED, (record.serial_number,), text, "look at its state: ndks info, ndks network status")
