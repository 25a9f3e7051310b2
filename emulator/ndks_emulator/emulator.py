# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run a unit: for ever on a line, or inside the host's own process."""

from pathlib import Path

from ndks_unit import main
from ndks_unit.unit import Unit

from .board import EmulatedBoard, MakeGenerator
from .directory import UnitDirectory
from .lines import Line, MemoryLine


def serve(directory: UnitDirectory, line: Line, make_generator: MakeGenerator | None = None) -> None:
    """Be the unit in `directory` on `line`, with the firmware's own main loop; does not return."""
    main.serve(EmulatedBoard(directory, line, make_generator))


class InProcessUnit:
    """A unit in this process, as a port: what is written is answered before `write` returns."""

    def __init__(self, path: Path, *, create: bool, make_generator: MakeGenerator | None = None) -> None:
        self._directory = UnitDirectory(path, create=create)
        self._line = MemoryLine()
        try:
            self._unit = Unit(EmulatedBoard(self._directory, self._line, make_generator))
        except BaseException:
            self._directory.close()
            raise

    def write(self, data: bytes) -> None:
        self._line.inbound += data
        while self._line.inbound:
            self._unit.poll()

    def read(self) -> bytes:
        """Return all bytes that the unit has sent and nobody has read."""
        data = bytes(self._line.outbound)
        self._line.outbound.clear()
        return data

    def close(self) -> None:
        if self._line.connected:
            self._line.close()
            self._directory.close()
