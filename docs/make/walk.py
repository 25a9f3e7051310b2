# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Walk one request through the code: all files and functions that it passes, in order, with an emulated unit.

python docs/make/walk.py [key | encrypt]    print them
"""

import contextlib
import functools
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from rooms import modules

import ndks.cli
from ndks_protocol import commands

WALKS = {
    "key": ("key", "--unit", "emulator:alice"),
    "encrypt": ("encrypt", "letter.txt", "--mode", "b", "--unit", "emulator:alice"),
}
# A fixed network: with other parameters other elements would be doubtful, and other code would decide them.
_NETWORK = """{"ndks_network": 1, "name": "walk", "suite": "hybrid", "cipher": "vernam", "p1": "0.52", "p2": "25",
"d": 3, "epoch": 0, "secret": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
"next_lane": 1, "members": []}
"""
_HANDLERS = {command.name.lower(): command.name for command in commands.TABLE.values()}


class Place(NamedTuple):
    """A function of ours."""

    module: str
    function: str


class Request(NamedTuple):
    """What led to the unit's handler of one request, the handler last, and what that has called elsewhere."""

    command: str
    path: tuple[Place, ...]
    below: list[Place]


class Walk:
    """Everything of ours that is called while it is told of calls (`sys.setprofile`)."""

    def __init__(self) -> None:
        self.passed: dict[str, dict[str, list[str]]] = {}  # functions, by the request and the module
        self.requests: list[Request] = []
        self._modules = {_real(str(path)): module for module, path in modules().items()}
        self._before: list[Place] = []  # since the last answer
        self._handler: FrameType | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame is self._handler:
            self._handler = None
        elif event == "call" and (place := self._place(frame.f_code)):
            self._before.append(place)
            if not self._handler and place.module.startswith("ndks_unit") and frame.f_code.co_name in _HANDLERS:
                self._handler = frame
                self.requests.append(Request(_HANDLERS[frame.f_code.co_name], self._path(frame), []))
            if self._handler:
                self.requests[-1].below.append(place)
                self._note(self.requests[-1].command)

    def finish(self) -> None:
        self._note("the end")

    def _note(self, step: str) -> None:
        for module, function in self._before:
            if not any(module in files and function in files[module] for files in self.passed.values()):
                self.passed.setdefault(step, {}).setdefault(module, []).append(function)
        self._before.clear()

    def _place(self, code: CodeType) -> Place | None:
        module = self._modules.get(_real(code.co_filename))
        return Place(module, code.co_qualname) if module and not code.co_name.startswith("<") else None

    def _path(self, frame: FrameType | None) -> tuple[Place, ...]:
        places: list[Place] = []
        while frame:
            if place := self._place(frame.f_code):
                places.append(place)
            frame = frame.f_back
        return tuple(reversed(places))


@functools.cache
def _real(path: str) -> str:
    return os.path.realpath(path)


def walk(arguments: tuple[str, ...]) -> Walk:
    """Run a command of `ndks` on a new emulated unit, and return its walk."""
    with _desk():
        run("provision", "walk.ndksnet", "--bind", "--unit", "emulator:alice")
        found = Walk()
        sys.setprofile(found)
        try:
            run(*arguments)
        finally:
            sys.setprofile(None)
        found.finish()
        return found


def run(*arguments: str) -> None:
    told = io.TextIOWrapper(io.BytesIO())
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        status = ndks.cli.main(arguments)
    if status:
        raise AssertionError(f"ndks {' '.join(arguments)}: exit status {status}")


@contextlib.contextmanager
def _desk() -> Iterator[None]:
    """Be in a directory with a network file and a letter, at a laptop that knows no unit."""
    before, home = Path.cwd(), os.environ.get("NDKS_HOME")
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        os.environ["NDKS_HOME"] = f"{directory}/home"
        Path("walk.ndksnet").write_text(_NETWORK)
        Path("walk.ndksnet").chmod(0o600)
        Path("letter.txt").write_text("Meet me at noon.\n")
        try:
            yield
        finally:
            os.chdir(before)
            del os.environ["NDKS_HOME"]
            if home is not None:
                os.environ["NDKS_HOME"] = home


def main() -> int:
    for name in sys.argv[1:] or WALKS:
        found = walk(WALKS[name])
        files = {module for step in found.passed.values() for module in step}
        functions = {(module, each) for step in found.passed.values() for module in step for each in step[module]}
        print(f"ndks {' '.join(WALKS[name])}: {len(files)} files, {len(functions)} functions")
        for step, passed in found.passed.items():
            print(f"\n{step}")
            for module, names in passed.items():
                print(f"  {module:40} {', '.join(names)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
