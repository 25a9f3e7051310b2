# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Output of commands: the result on stdout, everything else on stderr."""

import contextlib
import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any, Self

from ndks.exceptions import FileError, NdksError
from ndks.printable import printable
from ndks.system_errors import file_error
from ndks_protocol.generator import F1, F2

from .named_unit import with_unit

if TYPE_CHECKING:
    from tqdm import tqdm

SCHEMA = 1
_OR_FILE = "or name a file (-o) where the command takes one"

PAPER_WARNING = (
    "suite paper: a few dozen known bits of a key reveal the rest of it. Use this suite for study, not for protection."
)


class Output:
    """The result of one command, as text or as one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.unit: str | None = None  # as the user typed it
        self._has_result = False

    def result(self, values: dict[str, Any], text: str) -> None:
        """Print the result: `values` with --json, else `text`. FileError."""
        self._has_result = True
        line = json.dumps({"schema": SCHEMA, **values}) if self.as_json else text
        write_stdout(encoded(f"{line}\n"))

    def done(self, values: dict[str, Any], text: str) -> None:
        """Print the result of a completed action, unless stdout is closed. FileError."""
        if not is_stdout_open():
            return
        try:
            self.result(values, text)
        except FileError as error:
            raise FileError(
                f"the command is done, but its result could not be printed: {error}", "do not repeat the command"
            ) from None

    def failed(self, code: str, message: str, advice: str, exit_status: int) -> int:
        """Report an error, with --json also on stdout unless a result was printed; return the exit status."""
        advice = self.advised(advice)
        report(code, message, advice)
        if self.as_json and not self._has_result and is_stdout_open():
            error = {"code": code, "message": message, "advice": advice, "exit_status": exit_status}
            with contextlib.suppress(FileError):  # stdout itself may be what failed
                self.result({"error": error}, "")
        return exit_status

    def advised(self, text: str) -> str:
        """Return advice for the unit that the user named."""
        return with_unit(text, self.unit)

    def progress(self, total: int | None, what: str, initial: int = 0, *, visible: bool = True) -> "tqdm[Any] | NoBar":
        """Return a progress bar over `total` bytes (None: unknown), shown if stderr is a terminal.

        Callers pass `visible` = False if they write data to stdout, which may be the same terminal.
        """
        if not (visible and sys.stderr.isatty()):
            return NoBar()
        from .progress import Bar  # here, because nobody else needs tqdm

        return Bar(
            total=total,
            initial=initial,
            desc=printable(what),
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            leave=False,
        )


class NoBar:
    """What has the methods of a progress bar that commands use, where nobody sees one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing, as all here."""

    def update(self, size: int) -> None: ...
    def clear(self) -> None: ...
    def set_postfix_str(self, text: str, *, refresh: bool) -> None: ...


def error_values(error: NdksError) -> dict[str, Any]:
    """Return an error as JSON has it."""
    return {"code": error.code, "message": str(error), "advice": error.advice, "exit_status": error.exit_status}


def is_stdout_open() -> bool:
    return sys.stdout is not None  # pyright: ignore[reportUnnecessaryComparison] closed by the shell: >&-


def need_stdout() -> None:
    """Raise FileError if stdout is closed; called before an action whose result would be lost."""
    if not is_stdout_open():
        raise FileError("stdout is closed, or not open for writing", f"leave it open, {_OR_FILE}")


def write_stdout(data: bytes) -> None:
    """Write all of `data` to stdout before returning. FileError."""
    need_stdout()
    try:
        _write_all(memoryview(data))
    except BrokenPipeError:
        _abandon_stdout()
        raise FileError("the reader of stdout has closed it", f"read all of the output, {_OR_FILE}") from None
    except OSError as error:
        _abandon_stdout()
        raise file_error(error, "stdout cannot be written to") from None


def _write_all(view: memoryview) -> None:
    """Write to stdout, which may take only a part (unbuffered) or be full for now (non-blocking)."""
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
    """A sink that writes to stdout, with the errors of `write_stdout`."""

    def write(self, data: bytes) -> None:
        write_stdout(data)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""


def _abandon_stdout() -> None:
    """Redirect stdout to /dev/null, so that Python's flush at exit does not fail again."""
    with contextlib.suppress(OSError, AttributeError):  # stdout is closed, or is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Print a line on stderr."""
    print(f"ndks: {printable(text)}", file=sys.stderr)


def warn_of_suite(suite: str) -> dict[str, str]:
    """Print a warning for suite `paper`, and return it as a JSON field."""
    if suite != "paper":
        return {}
    note(f"WARNING: {PAPER_WARNING}")
    return {"warning": PAPER_WARNING}


def operator_rows(f1: str, f2: str) -> list[tuple[str, str]]:
    """Return a row with the operators of a network; none for those of equation 7."""
    return [] if (f1, f2) == (F1[0], F2[0]) else [("operators", f"f1 {f1}, f2 {f2}")]


def report(code: str, message: str, advice: str) -> None:
    """Print an error in the form of docs/command.md."""
    note(f"{code}: {_sentence(message)}" + (f" Do: {_sentence(advice)}" if advice else ""))


def encoded(text: str) -> bytes:
    """Return the bytes of a text for stdout in any locale; a file name need not be UTF-8."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")


def _sentence(text: str) -> str:
    return text if text.endswith(("?", "!")) else f"{text.rstrip('.')}."
