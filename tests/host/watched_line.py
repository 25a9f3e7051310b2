# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Lines to units that record their requests, or are cut at one."""

from collections.abc import Callable
from typing import Any

import pytest

from ndks.exceptions import UnitRemoved
from ndks.line.transport import Transport, open_transport
from ndks_protocol import framing
from ndks_protocol.commands import TABLE, Command

Wrap = Callable[[Transport], Transport]


class WatchedLine:
    """A line that records the names of all requests."""

    def __init__(self, line: Transport, names: list[str]) -> None:
        self.unplugs = line.unplugs
        self.names = names
        self._line = line
        self._decoder = framing.Decoder()

    def write(self, data: bytes) -> None:
        frames = [event for event in self._decoder.feed(data) if isinstance(event, framing.Frame)]
        self.names += [TABLE[frame.kind].name for frame in frames]
        self._line.write(data)

    def read(self) -> bytes:
        return self._line.read()

    def close(self) -> None:
        self._line.close()


class CutLine(WatchedLine):
    """A line that is cut at the first request of one command, before or just after the unit receives it."""

    def __init__(self, line: Transport, command: Command, *, heard: bool) -> None:
        super().__init__(line, [])
        self._command = command
        self._heard = heard
        self._is_cut = False

    def write(self, data: bytes) -> None:
        self._check()
        frames = [event for event in self._decoder.feed(data) if isinstance(event, framing.Frame)]
        self._is_cut = self._command.code in [frame.kind for frame in frames]
        if self._is_cut and not self._heard:
            self._check()
        self._line.write(data)

    def read(self) -> bytes:
        self._check()
        return self._line.read()

    def _check(self) -> None:
        if self._is_cut:
            raise UnitRemoved("the unit was removed", "plug it in and repeat the command")


def wrap_lines(monkeypatch: pytest.MonkeyPatch, wrap: Wrap) -> None:
    """Wrap every line that is opened from now on by `wrap`."""

    def open_wrapped(port: str, timeout: float, *, create: bool = False, **options: Any) -> Transport:
        return wrap(open_transport(port, timeout, create=create, **options))

    monkeypatch.setattr("ndks.driver.unit.open_transport", open_wrapped)


def watch_lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will have the names of all requests from now on."""
    names: list[str] = []
    wrap_lines(monkeypatch, lambda line: WatchedLine(line, names))
    return names
