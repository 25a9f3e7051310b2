# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The no-channel stage on one laptop.

Strategy: an interruption loses nothing. Keys are only read until the record is stored; then one acknowledgement uses
them up. The message is deleted when its capsule and the record are on the disk and the keys are used up; the record is
then written again with the deletion. The same command takes the keys of its own record again: the unit may have
acknowledged them without the laptop's knowledge, if the cable was pulled at that moment.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from ndks.driver.capsules import SUFFIX
from ndks.driver.exported_keys import ExportedKey
from ndks.driver.unit import Unit
from ndks.exceptions import FileError, reason
from ndks.paths import real_path
from ndks.whole_file import refuse_existing
from ndks_protocol import commands

from . import commitments, deletion
from .channel import ChannelOpen, LaptopChannel, described, open_channels, refuse_open
from .channels import find_channels
from .computer import Computer
from .record import Authentication, Commitment, Record, RecordedMessage

_REPEAT = "repeat with --force, which takes the same keys: the record is stored, but its keys may not be used up"

Progress = Callable[[int], object]  # called with the number of key bytes received since the last call


@dataclass(frozen=True)
class KeySet:
    """Number and size of the keys, and the salt; equal on both laptops."""

    salt: bytes
    count: int = 8
    bits: int = 256


@dataclass(frozen=True)
class ChannelWatch:
    """The search for channels, and whether to go on if one is open."""

    look: Callable[[], Sequence[LaptopChannel]] = find_channels
    accept_risk: bool = False


@dataclass(frozen=True)
class FaradayPlan:
    """The plan of the stage on one laptop."""

    keys: KeySet
    target: Path  # of the record
    message: Path | None = None  # is encrypted and deleted
    cipher: str = commands.CIPHERS[commands.VERNAM]
    overwrite: bool = False  # an existing record or capsule
    watch: ChannelWatch = ChannelWatch()


@dataclass(frozen=True)
class _Taken:
    started: str
    keys: tuple[Commitment, ...]
    repeated: tuple[int, ...]
    authentication: Authentication
    key: bytes = field(repr=False)  # authenticates the record


class _Letter:
    """The message and its capsule in the same directory."""

    def __init__(self, original: deletion.Original, *, overwrite: bool) -> None:
        self.original = original
        self.is_recorded = False  # a recorded capsule is never removed
        self._capsule = capsule_of(original.path)
        self._overwrite = overwrite
        refuse_existing(self._capsule, overwrite)
        self._replaces = self._capsule.exists()

    def seal(self, unit: Unit, plan: FaradayPlan, key: bytes) -> RecordedMessage:
        """Encrypt the message; return its part of the record when the capsule is on the disk."""
        meaning = deletion.meaning(self.original.path, Computer())
        text = commitments.TextCommitment(key, plan.keys.salt, self.original)
        size = unit.encrypt(text, self._capsule, cipher=plan.cipher, overwrite=self._overwrite)
        with self._capsule.open("rb") as file:
            digest = file_digest(file, sha256).hexdigest()
        return RecordedMessage(plan.cipher, size, text.value(), digest, deleted=False, deletion=meaning)

    def take_back(self) -> None:
        """Remove an unrecorded capsule, so that the same command can start again."""
        if not self.is_recorded and not self._replaces:
            self._capsule.unlink(missing_ok=True)


def take_record(
    unit: Unit, plan: FaradayPlan, before: Sequence[LaptopChannel], progress: Progress = lambda _: None
) -> Record:
    """Take keys, encrypt and delete the message, and write the record; `before` are the channels found so far.

    ChannelOpen if a channel is open before; then nothing is done. ChannelOpen also if a channel is open afterwards;
    then the record contains it, the keys are used up, and the message is not deleted.
    """
    refuse_open(before, accept_risk=plan.watch.accept_risk)
    _check_target(plan)
    with _letter(plan) as letter:
        epoch, last = _last_index(unit, plan)
        with unit.taking_key(commitments.KEY_BITS, last, epoch=epoch, advice=_REPEAT) as key:
            taken = _take_keys(unit, plan.keys, key, progress)
            record = _carry_out(unit, plan, before, letter, taken)
            record.save(plan.target, overwrite=plan.overwrite)
            if letter:
                letter.is_recorded = True
        _check_after(record, plan.target)
        return _delete(letter, record, taken.key, plan.target) if letter else record


def capsule_of(message: Path) -> Path:
    """Return the path of the capsule of a message."""
    return message.with_name(message.name + SUFFIX)


@contextmanager
def _letter(plan: FaradayPlan) -> Generator[_Letter | None]:
    if plan.message is None:
        yield None
        return
    with deletion.Original(plan.message) as original:
        letter = _Letter(original, overwrite=plan.overwrite)
        try:
            yield letter
        finally:
            letter.take_back()


def _carry_out(
    unit: Unit, plan: FaradayPlan, before: Sequence[LaptopChannel], letter: _Letter | None, taken: _Taken
) -> Record:
    of_unit = _of_unit(unit)
    message = letter.seal(unit, plan, taken.key) if letter else None
    channels: dict[str, Any] = {"channels_before": tuple(before), "channels_after": tuple(plan.watch.look())}
    run: dict[str, Any] = {"salt": plan.keys.salt.hex(), "accepted_risk": plan.watch.accept_risk}
    keys: dict[str, Any] = {"keys": taken.keys, "repeated": taken.repeated, "authentication": taken.authentication}
    times: dict[str, Any] = {"started": taken.started, "ended": _now()}
    record = Record(**of_unit, **channels, **run, **times, **keys, message=message)
    return record.signed(taken.key)


def _of_unit(unit: Unit) -> dict[str, Any]:
    status = unit.unlock()
    names = ("network_id", "lane", "epoch", "suite", "digits")
    return {"unit": unit.hello.serial_number, **{name: getattr(status, name) for name in names}}


def _take_keys(unit: Unit, wanted: KeySet, last: ExportedKey, progress: Progress) -> _Taken:
    started = _now()
    keys: list[Commitment] = []
    repeated: list[int] = []
    known: set[bytes] = set()
    for index in range(last.index - wanted.count, last.index):
        blocks = _Watched(unit.stream_key(index, wanted.bits, epoch=last.epoch), progress)
        keys.append(Commitment(index, wanted.bits, commitments.of_key(wanted.salt, index, wanted.bits, blocks)))
        if blocks.digest in known:
            repeated.append(index)
        known.add(blocks.digest)
    return _Taken(started, tuple(keys), tuple(repeated), Authentication(last.index, ""), last.read().data)


def _last_index(unit: Unit, plan: FaradayPlan) -> tuple[int, int]:
    """Return epoch and index of the last key: the one of the record to be replaced, or a new one."""
    epoch, following = unit.next_index()
    new = following + plan.keys.count
    try:
        begun = Record.load(plan.target)
    except (FileError, OSError):
        return epoch, new
    same = (unit.hello.serial_number, plan.keys.salt.hex(), epoch, [plan.keys.bits] * plan.keys.count)
    is_same = (begun.unit, begun.salt, begun.epoch, [key.bits for key in begun.keys]) == same
    if not is_same or open_channels((*begun.channels_before, *begun.channels_after)):
        return epoch, new
    is_last = begun.authentication.index + 1 == following
    return epoch, begun.authentication.index if is_last else new


class _Watched:
    """Blocks of a key, hashed as they are read."""

    def __init__(self, blocks: Iterator[bytes], progress: Progress) -> None:
        self._blocks = blocks
        self._progress = progress
        self._hash = sha256()

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._hash.update(block)
            self._progress(len(block))
            yield block

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


def _check_after(record: Record, target: Path) -> None:
    opened = open_channels(record.channels_after)
    if opened and not record.accepted_risk:
        what = f"a channel opened while keys were taken: {described(opened)}; {target} contains it, and proves nothing"
        raise ChannelOpen(
            what, "find out what opened it, and repeat with a new salt on both laptops; the message was not deleted"
        )


def _delete(letter: _Letter, record: Record, key: bytes, target: Path) -> Record:
    letter.original.delete()
    assert record.message
    record = replace(record, message=replace(record.message, deleted=True)).signed(key)
    try:
        record.save(target, overwrite=True)
    except OSError as error:
        what = f"the message is encrypted and deleted, but {target} could not be updated: {reason(error)}"
        raise FileError(
            what, "nothing: the capsule is complete, and the record is correct except for the deletion"
        ) from None
    return record


def _check_target(plan: FaradayPlan) -> None:
    message = plan.message
    if message and real_path(plan.target) in (real_path(message), real_path(capsule_of(message))):
        raise FileError(f"{plan.target} is the message or its capsule", "name another file for the record")
    refuse_existing(plan.target, plan.overwrite)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
