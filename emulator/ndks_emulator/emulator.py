# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit inside the host's own process."""

from pathlib import Path

from ndks_unit.dispatcher import Dispatcher

from .board import EmulatedBoard, MakeGenerator
from .case import Case
from .directory import UnitDirectory
from .lines import MemoryLine
from .power import PowerCut


class InProcessUnit:
    """A unit in this process, as a port: what is written is answered before `write` returns.

    Its `power` never goes unless somebody cuts it: then `write` raises PowerCut, until it was restored; the next
    `write` makes the unit start anew.
    """

    def __init__(self, path: Path, *, create: bool, make_generator: MakeGenerator | None = None) -> None:
        self._make_generator = make_generator
        self._directory = UnitDirectory(path, create=create)
        self._line = MemoryLine()
        self.case = Case()
        self.power = self._directory.power
        try:
            self._dispatcher: Dispatcher | None = self._start()
        except BaseException:
            self._directory.close()
            raise

    def write(self, data: bytes) -> None:
        try:
            self._dispatcher = self._dispatcher or self._start()
            self._line.inbound += data
            while self._line.inbound:
                self._dispatcher.poll()
        except PowerCut:
            self._dispatcher = None
            self._line.inbound.clear()
            raise

    def read(self) -> bytes:
        """Return all bytes that the unit has sent and nobody has read."""
        data = bytes(self._line.outbound)
        self._line.outbound.clear()
        return data

    def close(self) -> None:
        if self._line.connected:
            self._line.close()
            self._directory.close()

    def _start(self) -> Dispatcher:
        return Dispatcher(EmulatedBoard(self._directory, self._line, self._make_generator, case=self.case))
