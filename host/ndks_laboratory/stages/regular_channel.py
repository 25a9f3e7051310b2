# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 2 (section 4.1.2): encrypted communication via a regular channel, through the attackers' tap."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ndks.exceptions import CheckFailed
from ndks_laboratory.homologation.correspondence import BATCHES, Letter, letters
from ndks_laboratory.outcome import Check

from .cage import find_cage, namespace
from .processes import Processes, Side, SideProcess
from .relay import Relay, Segment

_PIECE = 8  # bytes of a text that would not be in a record by chance


@dataclass(frozen=True)
class Carried:
    """One letter, what of it was on the line, and what came out; `error` is "" unless it could not be opened."""

    letter: Letter
    capsule: bytes
    came_out: bytes | None
    error: str

    @property
    def same(self) -> bool:
        return self.came_out == self.letter.text


@dataclass(frozen=True)
class RegularChannel:
    """All that stage 2 has shown; `segments` is what the tap has."""

    carried: tuple[Carried, ...]
    segments: tuple[Segment, ...]
    delivered: tuple[Check, ...]
    disconnected: tuple[Check, ...]
    recorded: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them."""
        return (*self.delivered, *self.disconnected, *self.recorded)

    @property
    def batches(self) -> int:
        """How many batches went over the line; each has sender and receiver swapped."""
        return len({carried.letter.batch for carried in self.carried})


@dataclass(frozen=True)
class _Batch:
    """What one batch has shown besides its letters."""

    segments: tuple[Segment, ...]
    original_left: bool
    evidence: dict[str, Any]


def run_regular_channel(
    sides: Sequence[Side], count: int, seed: int, *, tamper: bool, tell: Callable[[int], object]
) -> RegularChannel:
    """Carry at least so many letters, in batches with swapped roles; `tell` hears how many more are through.

    CheckFailed when a side could not do its part.
    """
    cage = find_cage()
    by_name = {side.name: side for side in sides}
    carried: list[Carried] = []
    batches: list[_Batch] = []
    for number, (sender, receiver) in enumerate(BATCHES):
        arguments = (str(number), str(count), str(seed))
        batch = _carry(by_name[sender], by_name[receiver], arguments, cage, tamper=tamper and number == 0)
        wanted = [letter for letter in letters(count, seed) if letter.batch == number]
        carried += [_carried(letter, by_name[sender], by_name[receiver], batch) for letter in wanted]
        batches.append(batch)
        tell(len(wanted))
    segments = tuple(segment for batch in batches for segment in batch.segments)
    return RegularChannel(
        tuple(carried),
        segments,
        _delivered(carried, batches),
        (_disconnected(batches, caged=bool(cage)),),
        _recorded(carried, b"".join(segment.data for segment in segments)),
    )


def _carry(sender: Side, receiver: Side, arguments: tuple[str, ...], cage: Sequence[str], *, tamper: bool) -> _Batch:
    with Processes() as processes, Relay(tamper=tamper) as relay:

        def start(side: Side, task: str, *, caged: bool = False) -> None:
            words = (side.name, side.port, str(side.directory), task, *arguments, str(relay.port))
            processes.append(SideProcess(side, "correspondent", *words, cage=cage if caged else ()))

        def check() -> None:
            for process in processes:
                process.check()

        try:
            start(receiver, "receive")
            with relay.accept(check) as to_receiver:
                start(sender, "send")
                with relay.accept(check) as from_sender:
                    original_left = any(path.suffix == ".txt" for path in sender.directory.glob("letter-*"))
                    relay.carry(from_sender, to_receiver)
        except OSError:
            check()
            raise CheckFailed("the letters were not carried", "repeat on a less busy machine") from None
        processes.finish()
        start(receiver, "read", caged=True)
        processes[-1].finish()
    return _Batch(tuple(relay.segments), original_left, json.loads(receiver.evidence.read_text()))


def _carried(letter: Letter, sender: Side, receiver: Side, batch: _Batch) -> Carried:
    opened = receiver.opened(letter.number)
    came_out = opened.read_bytes() if opened.exists() else None
    error = batch.evidence["errors"].get(str(letter.number), "")
    return Carried(letter, sender.capsule(letter.number).read_bytes(), came_out, error)


def _delivered(carried: Sequence[Carried], batches: Sequence[_Batch]) -> tuple[Check, ...]:
    wrong = [c for c in carried if not c.same]
    return (
        Check("every message came out as it was written", not wrong, _first_failures(wrong)),
        Check("the originals were deleted before a capsule was sent", not any(b.original_left for b in batches)),
    )


def _recorded(carried: Sequence[Carried], recorded: bytes) -> tuple[Check, ...]:
    missing = [c.letter.number for c in carried if c.capsule not in recorded]
    open_pieces = [c.letter.number for c in carried if _has_piece(c, recorded)]
    return (
        Check("the tap has every capsule that was sent", not missing, ", ".join(map(str, missing))),
        Check("no piece of a text is in the tap's record", not open_pieces, ", ".join(map(str, open_pieces))),
    )


def _disconnected(batches: Sequence[_Batch], *, caged: bool) -> Check:
    name = "the receiver was disconnected when it decrypted"
    if not caged:
        return Check(name, None, "this system gives no network namespaces (unshare)")
    here = namespace()
    alone = (b.evidence["namespace"] != here and set(b.evidence["interfaces"]) <= {"lo"} for b in batches)
    return Check(name, all(alone))


def _first_failures(wrong: Sequence[Carried]) -> str:
    words = [f"message {c.letter.number}: {c.error or 'another text'}" for c in wrong[:3]]
    return "; ".join(words) + (f"; and {len(wrong) - 3} more" if len(wrong) > 3 else "")


def _has_piece(carried: Carried, recorded: bytes) -> bool:
    text = carried.letter.text
    return any(text[start : start + _PIECE] in recorded for start in range(0, len(text) - _PIECE + 1, _PIECE))
