# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The second stage (section 4.1.2 of the paper): messages over a channel with a listener."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ndks.exceptions import CheckFailed
from ndks_laboratory.entropy import entropy, looks_random
from ndks_laboratory.outcome import Check
from ndks_laboratory.stages.cage import end, namespace
from ndks_laboratory.stages.relay import Relay

from .plan import TURNS, SideFiles, Turn, letter
from .processes import require_success, start, wait

_PIECE = 8  # bytes of a text that would not be in a record by chance


@dataclass(frozen=True)
class Carried:
    """One message: what the listener has of it, and what came out; `error` is "" unless it could not be opened."""

    turn: Turn
    recorded: bytes
    sent: bytes
    original_left: bool
    came_out: bytes | None
    error: str
    outcome: dict[str, Any]

    @property
    def same(self) -> bool:
        return self.came_out == letter(self.turn)


def run_messages(directory: Path, cage: list[str], *, tamper: bool, tell: Callable[[str], object]) -> list[Carried]:
    """Carry a message for each turn between the sides of the first stage. CheckFailed when one cannot do its part."""
    carried: list[Carried] = []
    for turn in TURNS:
        tell(f"message {turn.number}: {turn.sender} to {turn.receiver}, cipher {turn.cipher}")
        carried.append(_carry(directory, turn, cage, tamper=tamper and turn is TURNS[0]))
    return carried


def check_messages(carried: list[Carried], *, caged: bool) -> tuple[Check, ...]:
    """Judge as the paper's independent expert does: compares what was written with what came out."""
    return (
        Check("every message came out as it was written", all(c.same for c in carried), _failures(carried)),
        Check("the original was deleted before the capsule was sent", not any(c.original_left for c in carried)),
        _disconnected(carried, caged=caged),
        Check("the listener has every byte that was sent", all(c.recorded == c.sent for c in carried)),
        Check("no piece of a text is in its record", not any(_has_piece(c) for c in carried)),
        Check("the record is as even as random bytes", all(looks_random(c.recorded) for c in carried)),
    )


def values(carried: Carried) -> dict[str, Any]:
    """Return one message for JSON."""
    return {
        "number": carried.turn.number,
        "sender": carried.turn.sender,
        "receiver": carried.turn.receiver,
        "cipher": carried.turn.cipher,
        "sealed_in_mode": carried.turn.sealed_in,
        "opened_in_mode": carried.turn.opened_in,
        "recorded": len(carried.recorded),
        "first_bytes": carried.recorded[:16].hex(),
        "entropy": round(entropy(carried.recorded), 3),
        "entropy_of_text": round(entropy(letter(carried.turn)), 3),
        "same": carried.same,
        "error": carried.error,
    }


def _carry(directory: Path, turn: Turn, cage: list[str], *, tamper: bool) -> Carried:
    sender, receiver = SideFiles(directory / turn.sender), SideFiles(directory / turn.receiver)
    original_left = _send_through(relay := Relay(tamper=tamper), sender, receiver, turn)
    reading = start(receiver, "correspondent", "read", str(turn.number), cage=cage)
    require_success(receiver, wait([reading])[0], receiver.outcome(turn))
    outcome = json.loads(receiver.outcome(turn).read_text())
    opened = receiver.opened(turn)
    came_out = opened.read_bytes() if opened.exists() else None
    error = f"{outcome['error']}: {outcome['message']}" if outcome["error"] else ""
    sent = sender.capsule(turn).read_bytes()
    return Carried(turn, relay.recorded, sent, original_left, came_out, error, outcome)


def _send_through(relay: Relay, sender: SideFiles, receiver: SideFiles, turn: Turn) -> bool:
    """Have one side send and the other receive; return whether the original was there when the first byte came."""
    arguments = (str(turn.number), str(relay.port))
    processes = [start(receiver, "correspondent", "receive", *arguments)]

    def check() -> None:
        for side, process in zip((receiver, sender), processes, strict=False):
            if process.poll():
                require_success(side, process.returncode, side.log)

    try:
        with relay, relay.accept(check) as to_receiver:
            processes.append(start(sender, "correspondent", "send", *arguments))
            with relay.accept(check) as from_sender:
                original_left = sender.letter(turn).exists()
                relay.carry(from_sender, to_receiver)
    except OSError:
        check()
        raise CheckFailed(f"message {turn.number} was not carried", "repeat on a less busy machine") from None
    except BaseException:
        end(processes)
        raise
    received, sent = wait(processes)
    require_success(receiver, received, receiver.received(turn))
    require_success(sender, sent, sender.capsule(turn))
    return original_left


def _failures(carried: list[Carried]) -> str:
    return "; ".join(f"message {c.turn.number}: {c.outcome['error'] or 'another text'}" for c in carried if not c.same)


def _disconnected(carried: list[Carried], *, caged: bool) -> Check:
    name = "the receiver was disconnected when it decrypted"
    if not caged:
        return Check(name, None, "this system gives no network namespaces (unshare)")
    here = namespace()
    return Check(name, all(c.outcome["namespace"] != here and set(c.outcome["interfaces"]) <= {"lo"} for c in carried))


def _has_piece(carried: Carried) -> bool:
    text = letter(carried.turn)
    return any(text[start : start + _PIECE] in carried.recorded for start in range(len(text) - _PIECE + 1))
