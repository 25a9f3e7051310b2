# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A tapped cable between a laptop and its unit."""

import contextlib

from ndks.driver.unit import open_port
from ndks_protocol import commands

from .stations import Station, open_station, refusals
from .system import Exchange, RecordedSession, Refusal, TappedCable
from .tap import Tap, payload_of

_KEY_INDEX, _KEY_SIZE = 1, 256  # of the requested key; reading it changes no counter


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
        self._ask()  # opens the session, so that the next frame is the request
        self._tap.alter = direction
        with refusals():
            return self._ask()

    def send(self, frame: bytes) -> bytes:
        try:
            return self._tap.send(frame, self._timeout)
        finally:
            self._link.end_session()  # the unit has ended it, or is out of step with the laptop

    def record_session(self) -> RecordedSession:
        self.close()
        self._plug()
        key = self._ask()
        return self._tap.recorded(key)

    def replay_session(self) -> bytes:
        self.close()
        self._plug()
        self._ask()
        recorded = list(self._tap.requests)  # before CLOSE
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
