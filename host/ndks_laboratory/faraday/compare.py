# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The expert's comparison of the records of two or more laptops."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ndks.files import reading
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Check, Outcome

from . import commitments
from .channel import described, open_channels
from .record import Record
from .sources import KeySource

_PAIR = 2
NOT_VERIFIED = "not verified: no unit or network file was named"


@dataclass(frozen=True)
class KeyRow:
    """A key index with the commitments of all sides; "" for a missing key."""

    index: int
    bits: tuple[int, ...]
    commitments: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether all keys are equal, if all commitments have the same salt."""
        return len(set(self.commitments)) == len(set(self.bits)) == 1


def key_rows(records: Sequence[Record]) -> list[KeyRow]:
    """Return a row for each key index of all records."""
    taken = [{key.index: (key.bits, key.commitment) for key in record.keys} for record in records]
    indices = sorted({index for keys in taken for index in keys})
    rows = ((index, [keys.get(index, (0, "")) for keys in taken]) for index in indices)
    return [KeyRow(index, tuple(bits for bits, _ in row), tuple(each for _, each in row)) for index, row in rows]


def compare_records(
    records: Sequence[Record], key_of: KeySource | None = None, opened: Sequence[Path] = ()
) -> list[Check]:
    """Return the checks of two or more records; `opened` are the decrypted messages. CheckFailed, OSError.

    Without `key_of`, the records are not authenticated and the messages not compared; these checks are "not shown".
    """
    keyed = [(record, key_of(record) if key_of else None) for record in records]
    every = all_of(len(records))
    return [
        _different_units(records),
        _equal(f"{every} were made with the same salt", records, lambda record: record.salt),
        _equal(f"{every} units are of one network", records, _network),
        _equal(f"{every} took keys of the same indices", records, _indices),
        _same_keys(records),
        Check("no key was given twice", Outcome.of(not any(r.repeated for r in records), _repeated(records))),
        *map(_channels, records),
        *(_authentic(record, key) for record, key in keyed),
        *(check for record, key in keyed for check in _message(record, key, opened)),
    ]


def all_of(count: int) -> str:
    """Return the word for all of this many."""
    return "both" if count == _PAIR else f"all {count}"


def _different_units(records: Sequence[Record]) -> Check:
    units = [record.unit for record in records]
    twice = ", ".join(sorted({unit for unit in units if units.count(unit) > 1}))
    return Check(
        f"the records are of {'two' if len(units) == _PAIR else len(units)} units", Outcome.of(not twice, twice)
    )


def _equal(name: str, records: Sequence[Record], of: Callable[[Record], str]) -> Check:
    values = [of(record) for record in records]
    same = len(set(values)) == 1
    return Check(name, Outcome.of(same, "" if same else "; ".join(values)))


def _network(record: Record) -> str:
    return f"{record.network_id}, epoch {record.epoch}, suite {record.suite}, d = {record.digits}"


def _indices(record: Record) -> str:
    runs: list[list[int]] = []
    for key in record.keys:
        if runs and runs[-1][1] == key.index - 1:
            runs[-1][1] = key.index
        else:
            runs.append([key.index, key.index])
    spans = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
    return f"{spans}, for the record {record.authentication.index}"


def _same_keys(records: Sequence[Record]) -> Check:
    name = f"{all_of(len(records))} sides hold the same keys"
    if len({record.salt for record in records}) > 1:
        return Check(name, Outcome.not_shown("the salts differ: nothing can be compared"))
    different = ", ".join(str(row.index) for row in key_rows(records) if not row.same)
    return Check(name, Outcome.of(not different, different and f"different: key {different}"))


def _repeated(records: Sequence[Record]) -> str:
    return "; ".join(
        f"unit {record.unit}: key {', '.join(map(str, record.repeated))}" for record in records if record.repeated
    )


def _channels(record: Record) -> Check:
    found = {"before": open_channels(record.channels_before), "after": open_channels(record.channels_after)}
    detail = "; ".join(f"{when}: {described(channels)}" for when, channels in found.items() if channels)
    word = HELD if not detail else NOT_SHOWN if record.accepted_risk else FAILED
    risk = "the risk was accepted; " if word == NOT_SHOWN else ""
    return Check(f"no channel was open at the laptop of unit {record.unit}", Outcome(word, risk + detail))


def _authentic(record: Record, key: bytes | None) -> Check:
    name = f"the record of unit {record.unit} is authentic"
    return Check(name, Outcome.not_shown(NOT_VERIFIED) if key is None else Outcome.of(record.is_signed_by(key)))


def _message(record: Record, key: bytes | None, opened: Sequence[Path]) -> Iterator[Check]:
    if not record.message:
        return
    yield Check(f"the message of unit {record.unit} was deleted", Outcome.of(record.message.deleted))
    name = f"the message of unit {record.unit} was decrypted as it was written"
    if opened and key:
        held = record.message.commitment in (_commitment(key, record, path) for path in opened)
        yield Check(name, Outcome.of(held, "" if held else f"{', '.join(map(str, opened))}: another text"))
    elif opened:
        why = "no unit or network file was named, which has the key of its commitment"
        yield Check(name, Outcome.not_shown(why))


def _commitment(key: bytes, record: Record, path: Path) -> str:
    with reading(path) as file:
        return commitments.of_text(key, bytes.fromhex(record.salt), file)
