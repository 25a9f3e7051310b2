# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a command's words go: the result to stdout, everything else to stderr."""

import contextlib
import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

from ndks.exceptions import FileError
from ndks.system_errors import file_error
from ndks_protocol.generator import F1, F2

if TYPE_CHECKING:
    from tqdm import tqdm

SCHEMA = 1
_OR_FILE = "or name a file (-o) where the command takes one"

PAPER_WARNING = (
    "suite paper: some dozens of known bits of such a key give away the rest of it. Use it to study, not to protect."
)


class Output:
    """The result of one command, as text or as one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._has_result = False

    def result(self, values: dict[str, Any], text: str) -> None:
        """Print the result: `values` with --json, else `text`. FileError."""
        self._has_result = True
        line = json.dumps({"schema": SCHEMA, **values}) if self.as_json else text
        write_stdout(encoded(f"{line}\n"))

    def done(self, values: dict[str, Any], text: str) -> None:
        """Print what was done, which stands whether or not anybody hears of it. FileError."""
        if not is_stdout_open():
            return
        try:
            self.result(values, text)
        except FileError as error:
            raise FileError(f"all is done; only this could not be told: {error}", "nothing") from None

    def failed(self, code: str, message: str, advice: str, exit_status: int) -> int:
        """Report an error; with --json also on stdout, unless the result is there already. Return the exit status."""
        report(code, message, advice)
        if self.as_json and not self._has_result and is_stdout_open():
            error = {"code": code, "message": message, "advice": advice, "exit_status": exit_status}
            with contextlib.suppress(FileError):  # stdout itself may be what failed
                self.result({"error": error}, "")
        return exit_status

    def progress(self, total: int | None, what: str, initial: int = 0, *, visible: bool = True) -> "tqdm[Any]":
        """Return a progress bar over `total` bytes, if they are known, on stderr, if that is a terminal.

        It is not `visible` where the result goes to stdout, which may be the same terminal.
        """
        from .progress import Bar  # and tqdm; few commands have one

        return Bar(
            total=total,
            initial=initial,
            desc=on_one_line(what),
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            disable=None if visible else True,
            leave=False,
        )


def is_stdout_open() -> bool:
    return sys.stdout is not None  # pyright: ignore[reportUnnecessaryComparison] closed by the shell: >&-


def need_stdout() -> None:
    """Raise FileError when stdout is closed: before something is used up whose result has no other place to go."""
    if not is_stdout_open():
        raise FileError("stdout is closed, or not open for writing", f"leave it open, {_OR_FILE}")


def write_stdout(data: bytes) -> None:
    """Write all of `data` to stdout before returning. FileError."""
    need_stdout()
    try:
        _write_all(memoryview(data))
    except BrokenPipeError:
        _abandon_stdout()
        raise FileError("nobody reads the output any more", f"read all of it, {_OR_FILE}") from None
    except OSError as error:
        _abandon_stdout()
        raise file_error(error, "stdout cannot be written to") from None


def _write_all(view: memoryview) -> None:
    """Write to an stdout that may take a part only (without a buffer), or say that it is full now (non-blocking)."""
    while view:
        try:
            taken = sys.stdout.buffer.write(view)
        except BlockingIOError as full:
            taken = full.characters_written
        if not taken:
            select.select([], [sys.stdout], [])
        view = view[taken or 0 :]
    while not _is_flushed():
        select.select([], [sys.stdout], [])


def _is_flushed() -> bool:
    try:
        sys.stdout.buffer.flush()
    except BlockingIOError:
        return False
    return True


class StdoutSink:
    """stdout as something to write bytes to, with the errors of `write_stdout`."""

    def write(self, data: bytes) -> None:
        write_stdout(data)

    def flush(self) -> None:
        """Nothing is left to do: every write is whole."""


def _abandon_stdout() -> None:
    """Keep Python from flushing at exit what stdout does not take: that would only fail again."""
    with contextlib.suppress(OSError, AttributeError):  # it is closed, or no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Say something that is not the result, on one line."""
    print(f"ndks: {on_one_line(text)}", file=sys.stderr)


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
    """Print an error, in the form of PROTOCOL.md section 9."""
    note(f"{code}: {_sentence(message)}" + (f" Do: {_sentence(advice)}" if advice else ""))


def on_one_line(text: str) -> str:
    """Return a text as any terminal can show it: names of files may hold line breaks and escape sequences."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def encoded(text: str) -> bytes:
    """Return a text as it goes to stdout, whatever the locale; a file's name need not be UTF-8."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")


def _sentence(text: str) -> str:
    return text if text.endswith(("?", "!")) else f"{text.rstrip('.')}."
