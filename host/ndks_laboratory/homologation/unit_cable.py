# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The cable between a laptop and its unit, with the adversaries' tap in it."""

import contextlib

from ndks.driver.unit import open_port
from ndks_protocol import commands

from .stations import Station, open_station, refusals
from .system import Exchange, Refusal, TappedCable
from .tap import Tap, payload_of

_KEY_INDEX, _KEY_SIZE = 1, 256  # what is asked for; reading it moves nothing


class UnitCable(TappedCable):
    def __init__(self, station: Station, timeout: float) -> None:
        self._station = station
        self._timeout = timeout
        self._plug()

    def _plug(self) -> None:
        taps: list[Tap] = []
        self._unit, self._link = open_station(self._station, self._timeout, taps)
        self._tap = taps[0]
        self._epoch = self._unit.status().epoch

    def ask(self) -> Exchange:
        key = self._ask()
        request = self._tap.requests[-1]
        return Exchange(request, payload_of(request), bytes(self._tap.answers[-1].payload), key)

    def ask_altered(self, direction: str) -> bytes:
        self._ask()  # what is altered is this request, and not one that opens a session
        self._tap.alter = direction
        with refusals():
            return self._ask()

    def send(self, frame: bytes) -> bytes:
        try:
            return self._tap.send(frame, self._timeout)
        finally:
            self._link.end_session()  # the unit has ended it, or answered what the laptop does not know of

    def replay_session(self) -> bytes:
        self.close()
        self._plug()
        self._ask()
        recorded = list(self._tap.requests)  # without what the laptop says when it leaves
        self.close()
        tap = Tap(open_port(self._station.port, self._timeout))
        try:
            for frame in recorded[:-1]:
                with contextlib.suppress(Refusal):
                    tap.send(frame, self._timeout)
            return tap.send(recorded[-1], self._timeout)
        finally:
            tap.close()
            self._plug()

    def close(self) -> None:
        self._unit.close()

    def _ask(self) -> bytes:
        return self._link.call(commands.KEY_CHUNK, self._epoch, _KEY_INDEX, 0, _KEY_SIZE)[0]
