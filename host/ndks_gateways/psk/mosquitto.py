# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Mosquitto's psk_file: one line is replaced, and the broker reads the file again. Clients that are connected stay."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from ndks.exceptions import reason
from ndks.files import read_small, refuse_public
from ndks.whole_file import write_private

from .consumer import ConsumerFailed
from .key_file import run_command
from .rotation import Given

_PROGRAM = "mosquitto"
_PROCESSES = Path("/proc")

Reload = Callable[[Given, Path], None]


class Mosquitto:
    """The key of an identity in a psk_file, which the broker's user owns. `reload` makes the broker read it."""

    def __init__(self, path: Path, identity: str, reload: Reload) -> None:
        self.name = f"Mosquitto's file {path}"
        self._path = path
        self._identity = identity.encode()
        self._reload = reload

    def give(self, given: Given) -> None:
        others = [line for line in self._lines() if not line.startswith(self._identity + b":")]
        write_private(self._path, b"".join(line + b"\n" for line in (*others, self._line(given))))
        self._reload(given, self._path)

    def has(self, given: Given) -> bool:
        return self._line(given) in self._lines()

    def _line(self, given: Given) -> bytes:
        return self._identity + b":" + given.key.hex().encode()

    def _lines(self) -> list[bytes]:
        """Return the lines of the file, none if it is missing. FileError: others may read it; OSError."""
        if not self._path.exists():
            return []
        refuse_public(self._path)
        return read_small(self._path).splitlines()


def by_pid_file(pid_file: Path) -> Reload:
    """Return what sends SIGHUP to the broker with this pid_file."""

    def reload(_given: Given, _path: Path) -> None:
        pid = _pid_in(pid_file)
        if _program_of(pid) != _PROGRAM:  # another process may have its number by now
            raise ConsumerFailed(f"Mosquitto is not running: {pid_file} names no such process", "start it")
        try:
            os.kill(pid, signal.SIGHUP)
        except OSError as error:
            raise ConsumerFailed(
                f"SIGHUP cannot be sent to Mosquitto: {reason(error)}", "run this as its user"
            ) from None

    return reload


def by_command(command: Sequence[str]) -> Reload:
    """Return what runs a command."""

    def reload(given: Given, path: Path) -> None:
        run_command(command, given, path)

    return reload


def _pid_in(path: Path) -> int:
    try:
        pid = int(read_small(path))
    except OSError as error:
        raise ConsumerFailed(f"Mosquitto's pid_file {path} cannot be read: {reason(error)}", "start it") from None
    except ValueError:
        pid = 0
    if pid <= 0:
        raise ConsumerFailed(f"{path} does not hold a process id", "name the pid_file of mosquitto.conf")
    return pid


def _program_of(pid: int) -> str:
    try:
        return (_PROCESSES / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""
