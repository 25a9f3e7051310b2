# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Confinement: all units give the defined keys, and where something is wrong, the unit or the channel is named."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ndks.confinement.channel import differences
from ndks.confinement.compare import compare
from ndks.confinement.definition import definition_of
from ndks.confinement.findings import Finding, Kind
from ndks.confinement.record import Record
from ndks.confinement.taking import record_of
from ndks_laboratory.outcome import Check

from .checks import held
from .scene import Scene

_INDICES, _BITS = range(1, 9), 1024
_WRONG_FROM = 3  # index
_TEXT = b"regularly verified by an alternative channel"
_LAST_OF_TEXT = -40  # a byte before the tag


def confinement(scene: Scene) -> Iterator[Check]:
    """Compare records of all units with their definition, and have both kinds of fault named."""
    sender, receiver, *_ = members = scene.table.present
    capsule = sender.opened.seal(_TEXT)
    records = [record_of(member.opened, _INDICES, _BITS, [capsule]) for member in members]
    definition = definition_of(scene.desk.administrator.state, records[0], [capsule])
    found = compare([*records, definition])
    yield held("all units give the keys of their definition", _kinds(found) == [Kind.AGREE], _told(found))
    found = compare([*records[:-1], _wrong(records[-1])])
    (diverging,) = found if _kinds(found) == [Kind.DIVERGES] else (None,)
    is_named = diverging is not None and (diverging.units, diverging.index) == (
        (records[-1].serial_number,),
        _WRONG_FROM,
    )
    yield held("a unit with other keys from one index on is named, with the index", is_named, _told(found))
    altered = capsule[:_LAST_OF_TEXT] + bytes([capsule[_LAST_OF_TEXT] ^ 1]) + capsule[_LAST_OF_TEXT + 1 :]
    found = compare([records[0], record_of(receiver.opened, _INDICES, _BITS, [altered])])
    yield held("a bit that the channel altered is blamed on the channel", _kinds(found) == [Kind.CHANNEL], _told(found))
    yield held("and the bit is named", differences(capsule, altered).bits == 1)


def _wrong(record: Record) -> Record:
    """Return the record of a unit whose keys are wrong from one index on."""
    wrong = (key if key.index < _WRONG_FROM else replace(key, checks=key.checks[::-1]) for key in record.keys)
    return replace(record, keys=tuple(wrong))


def _kinds(findings: Iterable[Finding]) -> list[Kind]:
    return [finding.kind for finding in findings]


def _told(findings: Iterable[Finding]) -> str:
    return "; ".join(finding.text for finding in findings)
