# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# ruff: noqa: ARG002 (it needs fewer arguments than units do)
"""A control: the paper's scheme without any protection. Every active attack must succeed.

    message = frames      frame = key index u64 || up to 1024 bytes of text XOR the bits of that key

The index rises with each frame and is only in RAM: it starts again when the unit is plugged in. There is no tag, no
replay window and no binding to a laptop; flash and cable carry everything in the clear.
"""

import contextlib
import struct
from collections.abc import Generator, Mapping

from ndks.keys.generator import VectorGenerator
from ndks_protocol import commands
from ndks_protocol.framing import Frame

from .system import (
    ALICE,
    BOB,
    TO_UNIT,
    CapsuleLayout,
    Dump,
    Exchange,
    RecordedSession,
    Refusal,
    StolenUnit,
    System,
    TappedCable,
)

_INDEX = ">Q"
_HEADER, _TEXT = 8, 1024
_ASKED = struct.pack(">QH", 1, 256)  # key index, bytes
_CHANGED_BIT = 0x02
_CLEAR_FLASH = bytes(64)


class BareSystem(System):
    """Two identical units with the same parameters."""

    layout = CapsuleLayout(_HEADER, 0, _HEADER + _TEXT, 0, _HEADER)
    strangers = ("another laptop",)

    def __init__(self, p1: str = "0.52", p2: str = "25", digits: int = 3) -> None:
        self._parameters = p1, p2, digits
        self._generator = VectorGenerator(p1, p2, digits)
        self._next = {ALICE: 1, BOB: 1}

    def key(self, index: int, size: int) -> bytes:
        """Return `size` bytes of a key. Refusal for index 0."""
        if not index:
            raise Refusal("RANGE")
        return bytes(self._generator.key(index).read(0, 8 * size))

    def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
        frames: list[bytes] = []
        for start in range(0, len(text), _TEXT):
            index, self._next[by] = self._next[by], self._next[by] + 1
            frames.append(struct.pack(_INDEX, index) + self._crypt(index, text[start : start + _TEXT]))
        return b"".join(frames)

    def unseal(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes:
        frames = [capsule[start : start + _HEADER + _TEXT] for start in range(0, len(capsule), _HEADER + _TEXT)]
        return b"".join(self._crypt(self.number(frame), frame[_HEADER:]) for frame in frames if len(frame) > _HEADER)

    def number(self, capsule: bytes, *, at: str = BOB) -> int:
        return struct.unpack_from(_INDEX, capsule)[0]

    def replug(self, how: str) -> None:
        self._next = {ALICE: 1, BOB: 1}

    def ask_as(self, stranger: str) -> bytes:
        return self.key(1, 16)

    @contextlib.contextmanager
    def stolen(self) -> Generator[StolenUnit]:
        yield BareStolenUnit(self)

    @contextlib.contextmanager
    def cable(self) -> Generator[TappedCable]:
        yield BareCable(self)

    def dumps(self) -> tuple[Dump, ...]:
        p1, p2, digits = self._parameters
        members = ((ALICE, 1), (BOB, 2))
        record = [(0, lane, 0, 0, digits, bytes(32), "bare", p1, p2, 0, 0) for _, lane in members]
        fields = commands.MEMBERSHIP_LAYOUT
        return tuple(
            Dump(owner, (_CLEAR_FLASH + _mark(owner) + fields.pack(*values) + _CLEAR_FLASH,))
            for (owner, _), values in zip(members, record, strict=True)
        )

    def marks(self) -> Mapping[str, bytes]:
        return {owner: _mark(owner) for owner in (ALICE, BOB)}

    def secrets(self) -> Mapping[str, bytes]:
        p1, p2, _ = self._parameters
        return {"p1": p1.encode(), "p2": p2.encode()}

    def _crypt(self, index: int, text: bytes) -> bytes:
        key = int.from_bytes(self.key(index, len(text)), "big")
        return (int.from_bytes(text, "big") ^ key).to_bytes(len(text), "big")


def _mark(owner: str) -> bytes:
    return f"bare unit of {owner}".encode()


class BareStolenUnit(StolenUnit):
    requests = ("KEY",)
    guesses = ()

    def __init__(self, system: BareSystem) -> None:
        self._system = system

    def public(self) -> Mapping[str, bytes]:
        return {"HELLO": _mark(BOB)}

    def ask(self, request: str) -> bytes:
        return self._system.key(1, 16)

    def guess(self, how: str) -> None:
        raise Refusal("UNKNOWN_COMMAND")  # there are no proofs


class BareCable(TappedCable):
    def __init__(self, system: BareSystem) -> None:
        self._system = system

    def ask(self) -> Exchange:
        answer = self.send(_ASKED)
        return Exchange(_ASKED, _ASKED, answer, answer)

    def ask_altered(self, direction: str) -> bytes:
        if direction == TO_UNIT:
            return self.send(_altered(_ASKED, _HEADER - 1))
        return _altered(self.send(_ASKED), 0)

    def send(self, frame: bytes) -> bytes:
        return self._system.key(*struct.unpack(">QH", frame))

    def record_session(self) -> RecordedSession:
        key = self.send(_ASKED)
        return RecordedSession(b"", b"", b"", (Frame(0, 0, key),), key)

    def replay_session(self) -> bytes:
        return self.send(_ASKED)


def _altered(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ _CHANGED_BIT]) + data[position + 1 :]
