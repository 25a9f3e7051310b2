# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two sides: where each lays its files, how their processes are started, and how the laboratory talks to them."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ndks.exceptions import CheckFailed
from ndks.laptop.bindings import BindingStore
from ndks_laboratory.faraday.taking import capsule_of

from .cage import end, environment

_LITTLE = 1 << 20  # bytes of a disk
TIMEOUT = 600.0  # seconds for whatever a side has to do at once: a board needs minutes for long messages


@dataclass(frozen=True)
class Side:
    """One side: its unit's port, and its files, all in its own directory."""

    name: str
    port: str
    directory: Path

    @property
    def bindings(self) -> BindingStore:
        """What this side's laptop knows of its unit."""
        return BindingStore(self.laptop)

    @property
    def laptop(self) -> Path:
        return self.directory / "laptop"

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    @property
    def record(self) -> Path:
        return self.directory / "no-channel.json"

    @property
    def evidence(self) -> Path:
        return self.directory / "evidence.json"

    def letter(self, number: int) -> Path:
        return self.directory / f"letter-{number:03d}.txt"

    def capsule(self, number: int) -> Path:
        return capsule_of(self.letter(number))

    def received(self, number: int) -> Path:
        return self.directory / f"received-{number:03d}.ndks"

    def opened(self, number: int) -> Path:
        return self.directory / f"received-{number:03d}.txt"


class SideProcess:
    """A process of a side, in a session of its own; it may be asked questions as long as its stdin is open."""

    def __init__(self, side: Side, module: str, *arguments: str, cage: Sequence[str] = ()) -> None:
        self.side = side
        with os.fdopen(os.open(side.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._process = subprocess.Popen(
                [*cage, sys.executable, "-m", f"ndks_laboratory.stages.{module}", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=side.directory,
                env=environment(side.directory, side.laptop),
                start_new_session=True,
                umask=0o077,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: str, argument: Any = None) -> Any:
        """Send one line and return the answer. CheckFailed when there is none."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps([question, argument]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None
        if not select.select([self._process.stdout], [], [], TIMEOUT)[0]:
            raise self._failed()
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        return json.loads(line)

    def part(self) -> None:
        """Close what connects it with the laboratory."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # of what it did not take any more
                    pipe.close()

    def check(self) -> None:
        """CheckFailed if it has ended badly."""
        if self._process.poll():
            raise self._failed()

    def finish(self) -> None:
        """Wait for its end. CheckFailed unless it ended well."""
        try:
            status = self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise self._failed() from None
        if status:
            raise self._failed()

    def kill(self) -> None:
        end([self._process])
        self.part()

    def _failed(self) -> CheckFailed:
        name, log = self.side.name, self.side.log
        return CheckFailed(f"{name}'s side could not do its part: {_last_line(log)}", f"read {log}, mend it and repeat")


class Processes(list[SideProcess]):
    """Processes that are killed when this is left, if they still run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self:
            process.kill()

    def finish(self) -> None:
        for process in self:
            process.finish()


def questions(lines: Iterable[str]) -> Iterable[tuple[str, Any]]:
    """Yield what the laboratory asks a side's process."""
    for line in lines:
        question, argument = json.loads(line)
        yield question, argument


def answer(value: Any) -> None:
    """Answer the laboratory."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Write a line into the side's log."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    if not lines and shutil.disk_usage(log.parent).free < _LITTLE:
        return "no space is left on its disk"
    return lines[-1] if lines else "it did not say why"
