# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of the host: a script that advances one step each time the unit accesses its port."""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hosts.network import BINDING, HYBRID, membership
from hosts.sessions import SHARE, ProjectSession, Said

from ndks_protocol import commands, errors, framing

from .clock import Clock
from .port import DataPort

Script = Generator[None, None, None]
ALL = 1 << 20
PATIENCE = 100_000  # maximum number of steps of a script


class ScriptEnd(BaseException):
    """Raised at the end of the script, to end the unit's main loop."""


class Host:
    """The actions of a script: open, send, receive, wait. Each step takes a millisecond."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.port = DataPort(self._step)
        self.appetite = ALL  # bytes that it reads in one step
        self.received = bytearray()
        self.frame_sizes: set[int] = set()  # sizes of the answers on the wire
        self._outgoing = bytearray()
        self._decoder = framing.Decoder()
        self._answers: deque[framing.Frame] = deque()
        self._last_id = 0
        self._channel: ProjectSession | None = None
        self._script: Script = iter(())  # pyright: ignore[reportAttributeAccessIssue]

    def follow(self, script: Script) -> None:
        self._script = script

    def open(self) -> None:
        self.port.host_is_there = True

    def close(self) -> None:
        """Close the port; bytes in transit are lost."""
        self.port.host_is_there = False
        self._outgoing.clear()
        self._decoder.reset()
        self._channel = None

    def send(self, data: bytes) -> None:
        self._outgoing += data

    def open_session(self, binding: bytes = b"", minimum: int = 0, allow_jump: int = 0) -> Script:
        """Open a session under the binding of these tests, or another one. Raises UnitError."""
        kek = yield from self.authenticate(binding or BINDING)
        yield from self.ask(commands.UNLOCK, kek, minimum, allow_jump)

    def authenticate(self, binding: bytes | None) -> Generator[None, None, bytes]:
        """Open a session up to UNLOCK, with a blank unit if there is no binding; return the KEK. Raises UnitError."""
        hello = bytes((yield from self.answer_to(self.request(commands.HELLO))).payload)
        unit_public, unit_random, unit_proof = yield from self.ask(commands.OPEN_SESSION, *SHARE)
        session = ProjectSession(binding, Said(hello, unit_public, unit_random))
        assert unit_proof == session.unit_proof
        yield from self.ask(commands.PROVE, session.host_proof)
        self._channel = session
        return session.kek

    def provision(self, suite: int = HYBRID) -> Script:
        yield from self.authenticate(None)
        yield from self.ask(commands.PROVISION, *membership(suite))
        self._channel = None

    def request(self, command: commands.Command, *values: Any) -> int:
        """Send a request, and return its id."""
        self._last_id += 1
        payload = command.request.pack(*values)
        if command is commands.HELLO:
            self._channel = None
        if self._channel:
            payload = self._channel.secured(command.code, self._last_id, payload)
        self.send(framing.encode(command.code, self._last_id, payload))
        return self._last_id

    def ask(self, command: commands.Command, *values: Any) -> Generator[None, None, tuple[Any, ...]]:
        """Send a request and wait for its answer, in a session if the command needs one. Raises UnitError."""
        if command.needs & commands.SESSION and not self._channel:
            yield from self.open_session()
        return (yield from self.ask_as_it_is(command, *values))

    def ask_as_it_is(self, command: commands.Command, *values: Any) -> Generator[None, None, tuple[Any, ...]]:
        """Send a request, and wait for its answer, without opening a session."""
        frame = yield from self.answer_to(self.request(command, *values))
        if frame.kind == framing.ERROR:
            raise errors.UnitError(int.from_bytes(frame.payload))
        assert frame.kind == command.code | framing.ANSWER
        return command.answer.unpack(frame.payload)

    def answer_to(self, request_id: int) -> Generator[None, None, framing.Frame]:
        while True:
            yield from self.wait(lambda: bool(self._answers))
            frame = self._answers.popleft()
            if frame.request_id == request_id:
                return frame

    def wait(self, condition: Callable[[], bool]) -> Script:
        for _ in range(PATIENCE):
            if condition():
                return
            yield
        pytest.fail("the host waited in vain")

    def wait_ms(self, ms: int) -> Script:
        end = self.clock.ms + ms
        yield from self.wait(lambda: self.clock.ms >= end)

    def _step(self) -> None:
        self.clock.advance(1)
        try:
            next(self._script)
        except StopIteration:
            raise ScriptEnd from None
        self.port.take_from_host(self._outgoing)
        if self.port.host_is_there:
            self._take(self.port.give_to_host(self.appetite))

    def _take(self, data: bytes) -> None:
        self.received += data
        for event in self._decoder.feed(data):
            if isinstance(event, framing.Frame):
                self.frame_sizes.add(len(framing.encode(event.kind, event.request_id, bytes(event.payload))))
                self._answers.append(self._opened(event))

    def _opened(self, frame: framing.Frame) -> framing.Frame:
        if not self._channel:
            return frame
        body = self._channel.opened(frame.kind, frame.request_id, bytes(frame.payload))
        if body is None:  # an answer in the clear: the unit has ended the session
            self._channel = None
            return frame
        return framing.Frame(frame.kind, frame.request_id, body)
