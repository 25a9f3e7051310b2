# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Processes of the sides, and their pipes to the laboratory."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from ndks.exceptions import CheckFailed
from ndks_laboratory import times

from .cage import end, environment
from .sides import Side

_LITTLE = 1 << 20  # bytes: a disk with less free space is full


class SideProcess:
    """A process of a side in its own session; it answers questions while its stdin is open."""

    def __init__(self, side: Side, module: str, *arguments: str, cage: Sequence[str] = ()) -> None:
        self.side = side
        own = (side.name, side.port, str(side.directory))
        with os.fdopen(os.open(side.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
            self._process = subprocess.Popen[bytes](
                [*cage, sys.executable, "-m", f"ndks_laboratory.stages.{module}", *own, *arguments],
                **pipes,
                cwd=side.directory,
                env=environment(side.directory, side.laptop),
                start_new_session=True,
                umask=0o077,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: str, argument: Any = None) -> Any:
        """Send a question and return the answer. CheckFailed if there is none."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps([question, argument]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None
        if not select.select([self._process.stdout], [], [], times.PROCESS)[0]:
            raise self._failed()
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        return json.loads(line)

    def part(self) -> None:
        """Close the pipes to the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # it did not read all of its input
                    pipe.close()

    def check(self) -> None:
        """Raise CheckFailed if the process has failed."""
        if self._process.poll():
            raise self._failed()

    def finish(self) -> None:
        """Wait for the end of the process. CheckFailed if it failed."""
        try:
            status = self._process.wait(times.PROCESS)
        except subprocess.TimeoutExpired:
            raise self._failed() from None
        if status:
            raise self._failed()

    def kill(self) -> None:
        end([self._process])
        self.part()

    def _failed(self) -> CheckFailed:
        name, log = self.side.name, self.side.log
        return CheckFailed(f"{name}'s side failed: {_last_line(log)}", f"read {log}, fix the problem and repeat")


class Processes(list[SideProcess]):
    """A list of processes that are killed at the end of its block, if they still run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self:
            process.kill()

    def finish(self) -> None:
        for process in self:
            process.finish()


def questions(lines: Iterable[str]) -> Iterable[tuple[str, Any]]:
    """Yield the questions of the laboratory to a side's process."""
    for line in lines:
        question, argument = json.loads(line)
        yield question, argument


def answer(value: Any) -> None:
    """Send an answer to the laboratory."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def log(text: str) -> None:
    """Write a line to the side's log."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    if not lines and shutil.disk_usage(log.parent).free < _LITTLE:
        return "no space is left on its disk"
    return lines[-1] if lines else "it gave no reason"
