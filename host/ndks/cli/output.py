# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a command's words go: the result to stdout, everything else to stderr."""

import contextlib
import json
import os
import sys
from typing import Any

from tqdm import tqdm

from ndks.exceptions import FileError
from ndks_protocol.generator import F1, F2

SCHEMA = 1

PAPER_WARNING = (
    "suite paper: some dozens of known bits of such a key give away the rest of it. Use it to study, not to protect."
)


class Output:
    """The result of one command, as text or as one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, values: dict[str, Any], text: str) -> None:
        """Print the result: `values` with --json, else `text`."""
        line = json.dumps({"schema": SCHEMA, **values}) if self.as_json else text
        write_stdout(f"{line}\n".encode(errors="surrogateescape"))  # a file's name need not be UTF-8

    def progress(self, total: int | None, what: str, initial: int = 0, *, visible: bool = True) -> "tqdm[Any]":
        """Return a progress bar over `total` bytes, if they are known, on stderr, if that is a terminal.

        It is not `visible` where the result goes to stdout, which may be the same terminal.
        """
        return tqdm(
            total=total,
            initial=initial,
            desc=what,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            disable=None if visible else True,
            leave=False,
        )


def write_stdout(data: bytes) -> None:
    """Write all of `data` to stdout before returning; FileError when stdout is closed, else OSError."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] closed by the shell: >&-
        raise FileError("stdout is closed", "leave it open, or use -o FILE")
    view = memoryview(data)
    while view:  # an unbuffered stdout may take a part only
        view = view[sys.stdout.buffer.write(view) :]
    sys.stdout.buffer.flush()


class StdoutSink:
    """stdout as something to write bytes to, with the errors of `write_stdout`."""

    def write(self, data: bytes) -> None:
        write_stdout(data)

    def flush(self) -> None:
        """Nothing is left to do: every write is whole."""


def abandon_stdout() -> None:
    """Keep Python from flushing at exit what stdout does not take: that would only fail again."""
    with contextlib.suppress(OSError, AttributeError):  # it is closed, or no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Say something that is not the result."""
    print(f"ndks: {text}", file=sys.stderr)


def warn_of_suite(suite: str) -> dict[str, str]:
    """Warn of a network of suite `paper`; return the JSON field that says the same."""
    if suite != "paper":
        return {}
    note(f"WARNING: {PAPER_WARNING}")
    return {"warning": PAPER_WARNING}


def operator_rows(f1: str, f2: str) -> list[tuple[str, str]]:
    """Return the row that names the operators of a network which has others than equation 7, else none."""
    return [] if (f1, f2) == (F1[0], F2[0]) else [("operators", f"f1 {f1}, f2 {f2}")]


def report(code: str, message: str, advice: str) -> None:
    """Print an error."""
    note(f"{code}: {message.rstrip('.')}." + (f" Do: {advice}." if advice else ""))
