# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A file of mode 0600 with the key, for all other programs, and a command that makes them read it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from ndks.files import read_small
from ndks.whole_file import write_private

from .programs import run
from .rotation import Given

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda key: key,
    "hex": lambda key: key.hex().encode() + b"\n",
    "base64": lambda key: b64encode(key) + b"\n",
}


class KeyFile:
    """A file with the key in one of `FORMS`, replaced by rename. `command`, if not empty, is run afterwards."""

    def __init__(self, path: Path, form: str, command: Sequence[str]) -> None:
        self.name = f"file {path}"
        self._path = path
        self._form = FORMS[form]
        self._command = command

    def give(self, given: Given) -> None:
        write_private(self._path, self._form(given.key))
        run_command(self._command, given, self._path)

    def has(self, given: Given) -> bool:
        return self._path.exists() and read_small(self._path) == self._form(given.key)


def run_command(command: Sequence[str], given: Given, path: Path) -> None:
    """Run a user's command, if there is one. It is told the number and the path, but not the key. ConsumerFailed."""
    if command:
        run(command, environment={"NDKS_NUMBER": str(given.step.number), "NDKS_PATH": str(path)})
