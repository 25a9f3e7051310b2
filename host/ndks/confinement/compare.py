# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The comparison of records: first different networks and epochs, which explain the rest; then keys, then messages."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from ..exceptions import UsageError
from .findings import Finding, Kind
from .key_checks import BLOCK, first_different
from .messages import compare_messages
from .record import DEFINITION, Record
from .texts import counted

_REPLACE = "do not use its keys: eject it, test it with ndks homologate, and replace it"
_MORE = "record a third unit of the network, or name the network file: ndks confine compare --network FILE"


def compare(records: Sequence[Record]) -> list[Finding]:
    """Return what is found in the records of two or more units; one of them may be the definition.

    UsageError: fewer than two, or two of one unit.
    """
    _check_units(records)
    findings = list(_networks(records))
    strangers = {unit for finding in findings for unit in finding.units}
    alike = [record for record in records if record.serial_number not in strangers]
    behind = list(_behind(alike))
    findings += behind
    findings += _keys(alike, {unit for finding in behind for unit in finding.units})
    findings += compare_messages(alike, {unit for finding in findings for unit in finding.units})
    return findings or [_agreement(records)]


def _check_units(records: Sequence[Record]) -> None:
    if len(records) < 2:
        raise UsageError("one record cannot be compared", "name two or more, or --network FILE")
    ((name, count),) = Counter(record.serial_number for record in records).most_common(1)
    if count > 1:
        raise UsageError(f"two of the records are of {name}", "name one record of each unit")


def _agreement(records: Sequence[Record]) -> Finding:
    units = tuple(record.serial_number for record in records)
    keys, bits = len(records[0].keys), records[0].bits
    messages = len({each.capsule for record in records for each in record.messages})
    return Finding(
        Kind.AGREE, units, f"all agree: {counted(keys, 'key')} of {bits} bits, {counted(messages, 'message')}"
    )


def _networks(records: Sequence[Record]) -> Iterator[Finding]:
    """Name units with another secret or parameter; those in other epochs have other ids, and are compared apart."""
    for in_generation in _groups(records, lambda record: record.epoch >> 16).values():
        by_secret = list(_groups(in_generation, lambda record: record.generation_id).values())
        yield from _others(by_secret, "another secret (the generation ids differ)")
        for same_secret in by_secret:
            for in_epoch in _groups(same_secret, lambda record: record.epoch).values():
                by_network = list(_groups(in_epoch, lambda record: record.network_id).values())
                yield from _others(by_network, "another parameter, and the same secret")


def _others(groups: list[list[Record]], what: str) -> Iterator[Finding]:
    """Yield a finding for each group but that of the majority; for all groups, if there is no majority."""
    right = _majority(groups)
    advice = (
        "erase it (ndks zeroize), and provision it again from the file of the others"
        if right
        else f"these are two networks, and nothing says which is meant. {_MORE[0].upper()}{_MORE[1:]}"
    )
    for group in groups if len(groups) > 1 else ():
        if group is not right:
            units = tuple(record.serial_number for record in group)
            names = ", ".join(record.name for record in group)
            verb = "have" if len(group) > 1 else "has"
            text = f"{names} {verb} {what}: {_described(group[0])}"
            yield Finding(Kind.OTHER_NETWORK, units, f"{text}{_against(group[0], right)}", advice)


def _described(record: Record) -> str:
    return f"network id {record.network_id}"


def _against(record: Record, right: list[Record] | None) -> str:
    if not right:
        return ""
    names = ("suite", "digits", "f1", "f2")
    shown = {"digits": "d"}
    differing = [
        f"{shown.get(name, name)} {getattr(record, name)} and not {getattr(right[0], name)}"
        for name in names
        if getattr(record, name) != getattr(right[0], name)
    ]
    hidden = "p1 or p2 differs" if record.generation_id == right[0].generation_id else ""
    reason = ", ".join(differing) or hidden
    return f", the others {right[0].network_id}" + (f"; {reason}" if reason else "")


def _behind(records: Sequence[Record]) -> Iterator[Finding]:
    newest = max((record.epoch for record in records), default=0)
    for record in records:
        if record.epoch < newest and record.serial_number != DEFINITION:
            what = f"{record.name} is behind, and has not diverged: it is in {_place(record.epoch)}"
            advice = "let its agent run until it has heard the others, and record again: ndks network status"
            units = (record.serial_number,)
            yield Finding(Kind.BEHIND, units, f"{what}, the others are in {_place(newest)}", advice)


def _keys(records: Sequence[Record], behind: AbstractSet[str]) -> Iterator[Finding]:
    """Compare the keys of each epoch that was recorded; units that are behind need no explanation."""
    by_epoch = _groups(records, lambda record: (record.of_epoch, record.bits))
    for group in by_epoch.values():
        if len(group) > 1:
            yield from _refused_keys(group)
            yield from _diverging(group)
    alone = tuple(group[0].serial_number for group in by_epoch.values() if len(group) == 1)
    if len(by_epoch) > 1 and not behind and alone:
        advice = "record with the same --bits, and with --epoch, the one that all of them have"
        yield Finding(Kind.NOT_COMPARED, alone, "keys of other epochs or sizes were not compared", advice)


def _refused_keys(records: Sequence[Record]) -> Iterator[Finding]:
    for record in records:
        refused = [key for key in record.keys if key.error]
        if refused:
            text = f"{record.name} refuses key {refused[0].index} ({refused[0].error})"
            yield Finding(Kind.REFUSED, (record.serial_number,), text, "name keys that it gives: --indices")


def _diverging(records: Sequence[Record]) -> Iterator[Finding]:
    """Yield the units whose keys differ from those of the definition, of the majority, or of the other one."""
    witness = next((record for record in records if record.serial_number == DEFINITION), None)
    indices = [key.index for key in records[0].keys if all(_has(record, key.index) for record in records)]
    groups = list(_groups(records, lambda record: _keys_of(record, indices)).values())
    if len(groups) < 2:
        return
    right = next((group for group in groups if witness in group), None) if witness else _majority(groups)
    if not right:
        units = tuple(record.serial_number for record in records)
        index, element = _first(groups[0][0], groups[1][0], indices)
        text = f"{', '.join(record.name for record in records)} differ from key {index} on, element {_block(element)}"
        what = f"{text}; nothing tells which of them is wrong"
        yield Finding(Kind.CANNOT_TELL, units, what, _MORE, index, element)
        return
    for group in groups:
        for record in group if group is not right else ():
            yield _divergence(record, right[0], indices)


def _has(record: Record, index: int) -> bool:
    key = record.key(index)
    return key is not None and not key.error


def _divergence(record: Record, right: Record, indices: Sequence[int]) -> Finding:
    index, element = _first(record, right, indices)
    count = sum(_differ(record, right, each) is not None for each in indices)
    whom = "the definition" if right.serial_number == DEFINITION else "the others"
    text = (
        f"{record.name} diverges from {whom}, from key {index} on, in elements {_block(element)}: "
        f"{count} of {counted(len(indices), 'key')} differ"
    )
    return Finding(Kind.DIVERGES, (record.serial_number,), text, _REPLACE, index, element)


def _block(element: int) -> str:
    return f"{element} to {element + BLOCK - 1}"


def _first(one: Record, other: Record, indices: Sequence[int]) -> tuple[int, int]:
    """Return the first key that differs, and the first element of the block in which it does."""
    for index in indices:
        element = _differ(one, other, index)
        if element is not None:
            return index, element
    raise ValueError("the keys are equal")


def _differ(one: Record, other: Record, index: int) -> int | None:
    ours, theirs = one.key(index), other.key(index)
    return first_different(ours.checks, theirs.checks) if ours and theirs else None


def _keys_of(record: Record, indices: Iterable[int]) -> tuple[tuple[str, ...], ...]:
    return tuple(key.checks for index in indices if (key := record.key(index)))


def _majority(groups: list[list[Record]]) -> list[Record] | None:
    """Return the group with more than half of all units, or with the definition; None: there is none."""
    for group in groups:
        if any(record.serial_number == DEFINITION for record in group):
            return group
    whole = sum(map(len, groups))
    return next((group for group in groups if 2 * len(group) > whole), None)


def _groups(records: Iterable[Record], of: Callable[[Record], Hashable]) -> dict[Hashable, list[Record]]:
    groups: dict[Hashable, list[Record]] = {}
    for record in records:
        groups.setdefault(of(record), []).append(record)
    return groups


def _place(epoch: int) -> str:
    return f"generation {epoch >> 16}, epoch {epoch & 0xFFFF}"
