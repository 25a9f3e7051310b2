# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A relay between a host and its unit: a thread that opens the unit's port and offers another port to the host."""

import contextlib
import os
import random
from typing import Protocol

from host.answering_pty import served_pty, write_all

from ndks_protocol import framing

TO_UNIT, TO_HOST = "to unit", "to host"
Sent = tuple[str, bytes]  # direction, what is sent on at once


class Treatment(Protocol):
    """The relay's treatment of the bytes that pass it."""

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        """Return the data to forward now."""
        ...


class SmallPieces:
    """Forwards a few bytes at a time, like a line with small buffers."""

    def __init__(self, seed: int, largest: int = 64) -> None:
        self._random = random.Random(seed)
        self._largest = largest

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        pieces: list[Sent] = []
        while data:
            size = self._random.randint(1, self._largest)
            pieces.append((direction, data[:size]))
            data = data[size:]
        return pieces


class ManInTheMiddle:
    """Manipulates a random part of the frames, `share`. It knows the framing and all earlier frames.

    It corrects the checksums of altered frames, because anyone can.
    """

    def __init__(self, seed: int, share: float) -> None:
        self.share = share
        self.deeds: dict[str, int] = {}
        self._random = random.Random(seed)
        self._decoders = {direction: framing.Decoder() for direction in (TO_UNIT, TO_HOST)}
        self._seen: dict[str, list[framing.Frame]] = {TO_UNIT: [], TO_HOST: []}
        self._held: list[Sent] = []

    def pass_on(self, direction: str, data: bytes) -> list[Sent]:
        sent: list[Sent] = []
        for event in self._decoders[direction].feed(data):
            if isinstance(event, framing.Frame):
                self._seen[direction].append(event)
                sent += self._treat(direction, event)
        return sent

    def _treat(self, direction: str, frame: framing.Frame) -> list[Sent]:
        whole = (direction, _wire(frame))
        held, self._held = self._held, []
        if self._random.random() >= self.share:
            return [whole, *held]
        deed = self._random.choice([self._drop, self._repeat, self._replay, self._alter, self._hold, self._reflect])
        name = deed.__name__.strip("_")
        self.deeds[name] = self.deeds.get(name, 0) + 1
        return [*deed(direction, frame), *held]

    def _drop(self, direction: str, frame: framing.Frame) -> list[Sent]:
        return []

    def _repeat(self, direction: str, frame: framing.Frame) -> list[Sent]:
        return [(direction, _wire(frame))] * 2

    def _replay(self, direction: str, frame: framing.Frame) -> list[Sent]:
        earlier = self._random.choice(self._seen[direction])
        return [(direction, _wire(earlier)), (direction, _wire(frame))]

    def _alter(self, direction: str, frame: framing.Frame) -> list[Sent]:
        kind, request_id, payload = frame.kind, frame.request_id, bytearray(frame.payload)
        what = self._random.randrange(8)
        if what == 0:
            kind ^= 1 << self._random.randrange(8)
        elif what == 1:
            request_id ^= 1 << self._random.randrange(32)
        elif what == 2:
            payload = payload[: self._random.randint(0, len(payload))]
        elif what == 3:
            payload += b"\0"
        elif payload:
            payload[self._random.randrange(len(payload))] ^= 1 << self._random.randrange(8)
        return [(direction, framing.encode(kind, request_id, bytes(payload[: framing.MAX_PAYLOAD])))]

    def _hold(self, direction: str, frame: framing.Frame) -> list[Sent]:
        """Send the frame after the next one of either direction."""
        self._held = [(direction, _wire(frame))]
        return []

    def _reflect(self, direction: str, frame: framing.Frame) -> list[Sent]:
        return [(TO_HOST if direction == TO_UNIT else TO_UNIT, _wire(frame))]


def relayed(port: str, treatment: Treatment) -> contextlib.AbstractContextManager[str]:
    """Yield a port that leads to the unit at `port` through the relay."""
    unit = os.open(port, os.O_RDWR | os.O_NOCTTY)

    def pass_on(host: int, end: int, received: bytes) -> None:
        for direction, data in treatment.pass_on(TO_HOST if end == unit else TO_UNIT, received):
            write_all(unit if direction == TO_UNIT else host, data)

    return served_pty(pass_on, unit)


def _wire(frame: framing.Frame) -> bytes:
    return framing.encode(frame.kind, frame.request_id, bytes(frame.payload))
