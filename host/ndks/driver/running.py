# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Emulated units that run on this computer: each process keeps a file about each of its units while it runs."""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from ..exceptions import FileError
from ..files import read_small
from ..laptop.homes import home
from ..strict_json import loads
from ..whole_file import write_private

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmulatedProcess:
    """An emulated unit and the process that it runs in."""

    port: str
    serial_number: str
    directory: str
    pid: int
    started: float  # start time of the process, because process ids are reused


class Notice:
    """The file about a unit of this process. Without a writable home directory there is none."""

    def __init__(self, serial_number: str, directory: Path) -> None:
        self._serial_number = serial_number
        self._directory = str(directory.absolute())

    def write(self, port: str) -> None:
        """Write the present port of the unit."""
        process = psutil.Process()
        unit = EmulatedProcess(port, self._serial_number, self._directory, process.pid, process.create_time())
        try:
            path = self._path(process.pid)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, json.dumps(asdict(unit)).encode(), overwrite=True)
        except (FileError, OSError) as error:
            _log.info("ndks list will not show this unit: %s", error)

    def remove(self) -> None:
        with contextlib.suppress(FileError, OSError):
            self._path(os.getpid()).unlink()

    def _path(self, pid: int) -> Path:
        return _folder() / f"{pid}-{self._serial_number}.json"


def running_units() -> list[EmulatedProcess]:
    """Return the emulated units that run, by port."""
    return sorted(_running(), key=lambda unit: unit.port)


def _running() -> Iterator[EmulatedProcess]:
    with contextlib.suppress(FileError, OSError):
        for path in sorted(_folder().glob("*.json")):
            with contextlib.suppress(FileError, OSError, ValueError, KeyError, TypeError):
                unit = _unit_from(loads(read_small(path)))
                if _runs(unit):
                    yield unit
                else:
                    path.unlink()  # the process was killed


def _unit_from(values: dict[str, Any]) -> EmulatedProcess:
    if not all(isinstance(values[name], str) for name in ("port", "serial_number", "directory")):
        raise ValueError
    return EmulatedProcess(**values)


def _runs(unit: EmulatedProcess) -> bool:
    try:
        return psutil.Process(unit.pid).create_time() == unit.started
    except psutil.Error:
        return False


def _folder() -> Path:
    return home() / "running"
