# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A transport with a script at its other end and a simulated clock, so that deadlines pass without waiting."""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ndks.line import link
from ndks_protocol import framing
from ndks_protocol.commands import TABLE

Script = Callable[[framing.Frame], bytes]


class ScriptedTransport:
    """Answers each request with the result of `script`; each read takes a tenth of a second and returns one answer."""

    def __init__(self, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unplugs = False
        self.requests: list[framing.Frame] = []
        self.in_flight: list[int] = []  # requests without an answer, at each read
        self.now = 0.0
        self._script = script
        self._decoder = framing.Decoder()
        self._answers: deque[bytes] = deque()
        monkeypatch.setattr(link, "time", SimpleNamespace(monotonic=lambda: self.now))

    def write(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            assert isinstance(frame, framing.Frame)
            self.requests.append(frame)
            self._answers.append(self._script(frame))

    def read(self) -> bytes:
        self.now += 0.1
        self.in_flight.append(len(self._answers))
        return self._answers.popleft() if self._answers else b""

    def close(self) -> None:
        pass


def answer(request: framing.Frame, *values: object) -> bytes:
    """Return a correct answer with these values to a request."""
    payload = TABLE[request.kind].answer.pack(*values)
    return framing.encode(request.kind | framing.ANSWER, request.request_id, payload)


def refusal(request: framing.Frame, code: int) -> bytes:
    return framing.encode(framing.ERROR, request.request_id, code.to_bytes(2, "big"))
