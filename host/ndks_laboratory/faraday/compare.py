# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The expert's comparison of the records of two laptops."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ndks.files import reading
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Check, Outcome

from . import commitments
from .channel import described, open_channels
from .record import Record
from .sources import KeySource

NOT_VERIFIED = "not verified: no unit or network file was named"


@dataclass(frozen=True)
class KeyRow:
    """A key index with the commitments of both sides; "" for a missing key."""

    index: int
    bits: tuple[int, int]
    commitments: tuple[str, str]

    @property
    def same(self) -> bool:
        """Whether both keys are equal, if both commitments have the same salt."""
        return self.commitments[0] == self.commitments[1] and self.bits[0] == self.bits[1]


def key_rows(a: Record, b: Record) -> list[KeyRow]:
    """Return a row for each key index of both records."""
    ours, theirs = ({key.index: (key.bits, key.commitment) for key in record.keys} for record in (a, b))
    pairs = ((index, ours.get(index, (0, "")), theirs.get(index, (0, ""))) for index in sorted({*ours, *theirs}))
    return [KeyRow(index, (one[0], other[0]), (one[1], other[1])) for index, one, other in pairs]


def compare_records(a: Record, b: Record, key_of: KeySource | None = None, opened: Sequence[Path] = ()) -> list[Check]:
    """Return the checks of two records; `opened` are the decrypted messages. CheckFailed, OSError.

    Without `key_of`, the records are not authenticated and the messages not compared; these checks are "not shown".
    """
    keys = [key_of(record) if key_of else None for record in (a, b)]
    both = list(zip((a, b), keys, strict=True))
    return [
        Check("the records are of two units", Outcome.of(a.unit != b.unit, a.unit if a.unit == b.unit else "")),
        _equal("both were made with the same salt", a, b, lambda record: record.salt),
        _equal("both units are of one network", a, b, _network),
        _equal("both took keys of the same indices", a, b, _indices),
        _same_keys(a, b),
        Check("no key was given twice", Outcome.of(not (a.repeated or b.repeated), _repeated(a, b))),
        *map(_channels, (a, b)),
        *(_authentic(record, key) for record, key in both),
        *(check for record, key in both for check in _message(record, key, opened)),
    ]


def _equal(name: str, a: Record, b: Record, of: Callable[[Record], str]) -> Check:
    values = of(a), of(b)
    same = values[0] == values[1]
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


def _same_keys(a: Record, b: Record) -> Check:
    name = "both sides hold the same keys"
    if a.salt != b.salt:
        return Check(name, Outcome.not_shown("the salts differ: nothing can be compared"))
    different = ", ".join(str(row.index) for row in key_rows(a, b) if not row.same)
    return Check(name, Outcome.of(not different, different and f"different: key {different}"))


def _repeated(a: Record, b: Record) -> str:
    return "; ".join(
        f"unit {record.unit}: key {', '.join(map(str, record.repeated))}" for record in (a, b) if record.repeated
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
