# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 2 (section 4.1.2): encrypted communication over a regular channel with an eavesdropper."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ndks.exceptions import CheckFailed
from ndks.whole_file import write_private
from ndks_laboratory.outcome import Check, Outcome

from .cage import find_cage, namespace
from .letters import Letter
from .processes import Processes, SideProcess
from .relay import Relay, Segment
from .sides import Side

_PIECE = 8  # bytes of a text that do not occur in a record by chance
_FEW = 4  # failures that are listed one by one


@dataclass(frozen=True)
class Carried:
    """A letter, its capsule on the line, and the decrypted text or the error."""

    letter: Letter
    capsule: bytes
    came_out: bytes | None
    error: str

    @property
    def same(self) -> bool:
        return self.came_out == self.letter.text


@dataclass(frozen=True)
class RegularChannel:
    """The results of stage 2; `segments` is the record of the eavesdropper."""

    carried: tuple[Carried, ...]
    segments: tuple[Segment, ...]
    delivered: tuple[Check, ...]
    disconnected: tuple[Check, ...]
    recorded: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks of stage 2."""
        return (*self.delivered, *self.disconnected, *self.recorded)

    @property
    def batches(self) -> int:
        """The number of batches."""
        return len({carried.letter.batch for carried in self.carried})


@dataclass(frozen=True)
class _Batch:
    carried: tuple[Carried, ...]
    segments: tuple[Segment, ...]
    original_left: bool
    evidence: dict[str, Any]


def run_regular_channel(
    sides: Sequence[Side], letters: Sequence[Letter], *, tamper: bool, tell: Callable[[Sequence[Letter]], object]
) -> RegularChannel:
    """Carry letters batch by batch, and call `tell` after each; `tamper` flips a bit in the first batch.

    CheckFailed if a side fails.
    """
    cage = find_cage()
    batches: list[_Batch] = []
    for batch in _batches(letters):
        batches.append(_carry(sides, batch, cage, tamper=tamper and not batches))
        tell(batch)
    carried = tuple(each for batch in batches for each in batch.carried)
    segments = tuple(segment for batch in batches for segment in batch.segments)
    recorded = _recorded(carried, b"".join(segment.data for segment in segments))
    return RegularChannel(carried, segments, _delivered(batches), _disconnected(batches, bool(cage)), recorded)


def _batches(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    for _, batch in groupby(letters, key=lambda letter: letter.batch):
        yield list(batch)


def _carry(sides: Sequence[Side], batch: Sequence[Letter], cage: Sequence[str], *, tamper: bool) -> _Batch:
    """Make one side send a batch, and the other receive and then decrypt it."""
    by_name = {side.name: side for side in sides}
    sender, receiver = by_name[batch[0].sender], by_name[batch[0].receiver]
    for letter in batch:
        if not sender.capsule(letter.number).exists():  # otherwise it was encrypted in the cage
            write_private(sender.letter(letter.number), letter.text)
    with Processes() as processes, Relay(tamper=tamper) as relay:
        original_left = _send(processes, relay, (sender, receiver), batch)
    reading = json.dumps([(letter.number, letter.cipher, letter.opened_in) for letter in batch])
    number = batch[0].batch
    with Processes([SideProcess(receiver, "correspondent", "read", str(number), reading, cage=cage)]) as processes:
        processes.finish()
    evidence = json.loads(receiver.reading(number).read_text())
    carried = tuple(_carried(letter, sender, receiver, evidence["errors"]) for letter in batch)
    return _Batch(carried, tuple(relay.segments), original_left, evidence)


def _send(processes: Processes, relay: Relay, way: tuple[Side, Side], batch: Sequence[Letter]) -> bool:
    """Carry a batch; return whether an original still existed when the sender connected."""
    sender, receiver = way
    sealing = json.dumps([(letter.number, letter.cipher, letter.sealed_in) for letter in batch])

    def check() -> None:
        for process in processes:
            process.check()

    try:
        processes.append(SideProcess(receiver, "correspondent", "receive", str(relay.port), sealing))
        with relay.accept(check) as to_receiver:
            processes.append(SideProcess(sender, "correspondent", "send", str(relay.port), sealing))
            with relay.accept(check) as from_sender:
                original_left = any(sender.letter(letter.number).exists() for letter in batch)
                relay.carry(from_sender, to_receiver)
    except OSError:
        check()
        raise CheckFailed("the letters could not be carried", "repeat on a less busy machine") from None
    processes.finish()
    return original_left


def _carried(letter: Letter, sender: Side, receiver: Side, errors: dict[str, str]) -> Carried:
    opened = receiver.opened(letter.number)
    came_out = opened.read_bytes() if opened.exists() else None
    return Carried(letter, sender.capsule(letter.number).read_bytes(), came_out, errors.get(str(letter.number), ""))


def _delivered(batches: Sequence[_Batch]) -> tuple[Check, ...]:
    wrong = [each for batch in batches for each in batch.carried if not each.same]
    left = any(batch.original_left for batch in batches)
    return (
        Check("every message was decrypted correctly", Outcome.of(not wrong, _first_failures(wrong))),
        Check("the original was deleted before the capsule was sent", Outcome.of(not left)),
    )


def _recorded(carried: Sequence[Carried], recorded: bytes) -> tuple[Check, ...]:
    missing = ", ".join(str(each.letter.number) for each in carried if each.capsule not in recorded)
    seen = _pieces_seen(carried, recorded)
    in_the_clear = ", ".join(str(each.letter.number) for each in carried if seen & set(_pieces(each)))
    return (
        Check("the eavesdropper recorded every byte that was sent", Outcome.of(not missing, missing)),
        Check("its record contains no piece of a text", Outcome.of(not in_the_clear, in_the_clear)),
    )


def _disconnected(batches: Sequence[_Batch], caged: bool) -> tuple[Check, ...]:
    name = "the receiver was disconnected when it decrypted"
    if not caged:
        return (Check(name, Outcome.not_shown("this system permits no network namespaces (unshare)")),)
    here, seen = namespace(), [batch.evidence for batch in batches]
    alone = all(found["namespace"] != here and set(found["interfaces"]) <= {"lo"} for found in seen)
    return (Check(name, Outcome.of(alone)),)


def _first_failures(wrong: Sequence[Carried]) -> str:
    words = [f"message {each.letter.number}: {each.error.partition(':')[0] or 'another text'}" for each in wrong[:_FEW]]
    return "; ".join(words) + (f"; and {len(wrong) - _FEW} more" if len(wrong) > _FEW else "")


def _pieces(carried: Carried) -> list[bytes]:
    text = carried.letter.text
    return [text[start : start + _PIECE] for start in range(0, len(text) - _PIECE + 1, _PIECE)]


def _pieces_seen(carried: Sequence[Carried], recorded: bytes) -> set[bytes]:
    """Return the pieces of texts that occur anywhere in the record."""
    wanted = {piece for each in carried for piece in _pieces(each)}
    windows = (recorded[start : start + _PIECE] for start in range(len(recorded) - _PIECE + 1))
    return {window for window in windows if window in wanted}
