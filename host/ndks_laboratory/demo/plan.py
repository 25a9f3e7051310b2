# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What both sides were told beforehand: which keys to ask for, which letters to write, where each lays its files."""

from dataclasses import dataclass
from pathlib import Path

BEFORE_UNPLUG = (128, 256, 1000, 8192)  # bits of the keys asked for, in order
INTERRUPTED = 100_000_000  # bits: minutes of work, so that the cable is always pulled in the middle
AFTER_UNPLUG = (2048, 192, 65537)

STREAMING = "streaming"  # what the laptop says when the long key has begun to arrive

TIMEOUT = 120.0  # seconds for a whole side


@dataclass(frozen=True)
class Turn:
    """One message of the second stage. Either mode opens what the other has sealed."""

    number: int
    sender: str
    receiver: str
    cipher: str
    sealed_in: str
    opened_in: str


TURNS = (
    Turn(1, "alice", "bob", "vernam", sealed_in="b", opened_in="a"),
    Turn(2, "alice", "bob", "vernam", sealed_in="a", opened_in="b"),
    Turn(3, "bob", "alice", "aes", sealed_in="b", opened_in="a"),
    Turn(4, "bob", "alice", "aes", sealed_in="a", opened_in="b"),
)


def letter(turn: Turn) -> bytes:
    """Return what the sender writes: words, and one symbol 3000 times over."""
    greeting = f"Dear {turn.receiver.title()}, this is my message number {turn.number}. One symbol, over and over:"
    return f"{greeting}\n{'A' * 3000}\nYours, {turn.sender.title()}\n".encode()


class SideFiles:
    """The files of one side, all in its own directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.unit = directory / "unit"
        self.laptop = directory / "laptop"  # its bindings
        self.keys = directory / "keys"
        self.log = directory / "log.txt"
        self.evidence = directory / "evidence.json"

    def letter(self, turn: Turn) -> Path:
        return self.directory / f"letter-{turn.number}.txt"

    def capsule(self, turn: Turn) -> Path:
        return self.directory / f"letter-{turn.number}.txt.ndks"

    def received(self, turn: Turn) -> Path:
        return self.directory / f"received-{turn.number}.ndks"

    def opened(self, turn: Turn) -> Path:
        return self.directory / f"received-{turn.number}.txt"

    def outcome(self, turn: Turn) -> Path:
        return self.directory / f"received-{turn.number}.json"

    def key(self, index: int, bits: int) -> Path:
        return self.keys / f"{index:03d}-{bits}.key"
