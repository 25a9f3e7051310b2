# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# ruff: noqa: ARG002 (it needs fewer arguments than units do)
"""A control: an ideal system that cannot be broken. Capsules are random bytes, and each is accepted once."""

import contextlib
from collections.abc import Generator, Mapping

import numpy as np

from ndks_protocol.capsule import CHUNK, TAG_SIZE
from ndks_protocol.commands import WIRE_HEADER_SIZE
from ndks_protocol.framing import Frame

from .system import ALICE, BOB, CapsuleLayout, Dump, Exchange, RecordedSession, Refusal, StolenUnit, System, TappedCable

_FLASH, _MARK = 512, 16
_RECORDED = 77, 48, 64  # bytes of the answer to HELLO, and of both shares of a session
_DRAWS = b"ideal system"  # combined with the seed, for a random stream of its own


class IdealSystem(System):
    """All traffic is random bytes; a table maps each capsule to its sender, number and text."""

    layout = CapsuleLayout(WIRE_HEADER_SIZE, WIRE_HEADER_SIZE, CHUNK + TAG_SIZE, TAG_SIZE, WIRE_HEADER_SIZE)
    strangers = ("another laptop",)

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng((seed, *_DRAWS))
        self._marks = {owner: self.random.bytes(_MARK) for owner in (ALICE, BOB)}
        self._sealed: dict[bytes, tuple[str, int, bytes]] = {}  # sender, number, text
        self._accepted: set[bytes] = set()

    def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
        capsule = self.random.bytes(WIRE_HEADER_SIZE + len(text) + TAG_SIZE * max(1, -(-len(text) // CHUNK)))
        self._sealed[capsule] = by, len(self._sealed) + 1, text
        return capsule

    def unseal(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes:
        sender, _, text = self._find(capsule)
        if sender == at:
            raise Refusal("REFLECTED")
        if capsule in self._accepted:
            raise Refusal("DUPLICATE")
        self._accepted.add(capsule)
        return text

    def number(self, capsule: bytes, *, at: str = BOB) -> int:
        return self._find(capsule)[1]

    def replug(self, how: str) -> None:
        pass

    def ask_as(self, stranger: str) -> bytes:
        raise Refusal("LOCKED")

    @contextlib.contextmanager
    def stolen(self) -> Generator[StolenUnit]:
        yield IdealStolenUnit(self.random)

    @contextlib.contextmanager
    def cable(self) -> Generator[TappedCable]:
        yield IdealCable(self.random)

    def dumps(self) -> tuple[Dump, ...]:
        return tuple(Dump(owner, (self.random.bytes(_FLASH) + mark,)) for owner, mark in self._marks.items())

    def marks(self) -> Mapping[str, bytes]:
        return self._marks

    def secrets(self) -> Mapping[str, bytes]:
        return {"the network's secret": self.random.bytes(32), "p1": b"0.5271828182845904", "p2": b"25.31415926535897"}

    def _find(self, capsule: bytes) -> tuple[str, int, bytes]:
        if capsule not in self._sealed:
            raise Refusal("AUTH")
        return self._sealed[capsule]


class IdealStolenUnit(StolenUnit):
    requests = ("KEY",)
    guesses = ("random bytes",)

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def public(self) -> Mapping[str, bytes]:
        return {"HELLO": self._random.bytes(64)}

    def ask(self, request: str) -> bytes:
        raise Refusal("LOCKED")

    def guess(self, how: str) -> None:
        raise Refusal("LOCKED")


class IdealCable(TappedCable):
    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._key = random.bytes(256)

    def ask(self) -> Exchange:
        request, answer = self._random.bytes(40), self._random.bytes(280)
        return Exchange(request, request, answer, self._key)

    def ask_altered(self, direction: str) -> bytes:
        raise Refusal("SESSION_ENDED")

    def send(self, frame: bytes) -> bytes:
        raise Refusal("SESSION_ENDED")

    def record_session(self) -> RecordedSession:
        hello, opening, opened = (self._random.bytes(size) for size in _RECORDED)
        return RecordedSession(hello, opening, opened, (Frame(0, 0, self._random.bytes(280)),), self._key)

    def replay_session(self) -> bytes:
        raise Refusal("LOCKED")
