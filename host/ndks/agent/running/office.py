# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator's side of an agent that runs with the administrator's file.

Commands change the file; the office publishes what they made, gives bundles to those who ask, and learns and merges
what other administrators did. Each bundle is in the file before it is published.
"""

import contextlib
import logging
from pathlib import Path

from ...exceptions import NdksError
from ...network import administrator_file
from ...network.administrator import Administrator
from ...network.administrator_host import AdministratorHost
from ...network.bundle import BUNDLE, BadBundle, Bundle
from ..limits import Limits
from ..pieces import PIECE, Assembly
from . import copies

_log = logging.getLogger(__name__)


class Office:
    """An administrator's file, on the channel. NdksError if it cannot be read at the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._mark()
        self._host = AdministratorHost(Administrator(administrator_file.load(path)))
        self._assembly = Assembly(Limits().assembled)
        self._problem = ""
        self.has_merged = False  # whether it made a generation that unites two sides

    @property
    def public(self) -> bytes:
        """The key by which members know the administrators' bundles."""
        return self._host.administrator.keys.public

    @property
    def number(self) -> int:
        """The administrator's number."""
        return self._host.administrator.state.number

    @property
    def generation(self) -> int | None:
        """The newest generation that the file has."""
        return self._host.administrator.state.g if self._host.administrator.state.g >= 0 else None

    @property
    def is_heard(self) -> bool:
        """Whether a member was heard in the newest generation."""
        return self._host.is_heard

    def publish(self) -> list[bytes]:
        """Return all bundles that the file has, to be published now. NdksError, OSError."""
        self._look()
        return self._host.publish()

    def known(self) -> list[bytes]:
        """Return all bundles that the file has, as far as it can be read now."""
        with contextlib.suppress(NdksError, OSError):  # `tick` tells of it
            self._look()
        return self._host.all

    def tick(self, ticks: int) -> list[bytes]:
        """Let time pass; return what is to be published."""
        try:
            self._look()
            self._tell(None)
        except (NdksError, OSError) as error:
            self._tell(error)
        return self._host.tick(ticks)

    def receive(self, packet: bytes) -> list[bytes]:
        """Take a packet of the channel, or a piece of one; return what is to be published."""
        if packet[:1] == bytes([PIECE]):
            packet = self._assembly.add(packet)
        if packet[:1] != bytes([BUNDLE]):
            return self._host.receive(packet)
        if not self._is_new(packet):
            self._host.notice(packet)
            return []
        try:
            with copies.opened(self._path, merging=True) as administrator:
                self._host.administrator = administrator
                before = administrator.state.g
                packets = self._host.receive(packet)
                state = administrator.state
                self.has_merged |= state.g > before and state.bundles[-1].content != packet
            self._seen = self._mark()
            self._tell(None)
        except (NdksError, OSError) as error:  # it comes again
            self._tell(error)
            return []
        return packets

    def _is_new(self, packet: bytes) -> bool:
        try:
            bundle = Bundle.parse(packet)
        except BadBundle:
            return False
        return self._host.administrator.is_new(bundle) and bundle.is_signed_by(self.public)

    def _look(self) -> None:
        """Read the file again if a command has changed it."""
        mark = self._mark()
        if mark != self._seen:
            self._host.administrator = Administrator(administrator_file.load(self._path))
            self._seen = mark

    def _mark(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _tell(self, problem: Exception | None) -> None:
        text = str(problem) if problem else ""
        if text and text != self._problem:
            _log.warning("the administrator's file cannot be used now: %s", text)
        self._problem = text
