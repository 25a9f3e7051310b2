# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Input and output of encrypt, decrypt and inspect: files, stdin, stdout."""

import argparse
import contextlib
import os
import stat
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError, UsageError
from ndks.files import Source, no_such_file, reading
from ndks.whole_file import refuse_existing

from .arguments import add_path, output_path, refuse_directory
from .stdin import StdinSource

_STDIN = "-"


def add_source(parser: argparse.ArgumentParser, metavar: str, what: str) -> None:
    add_path(parser, "file", nargs="?", metavar=metavar, help=f"{what}; - is stdin (default: what is piped in)")


def check_source(args: argparse.Namespace, advice: str = "") -> None:
    """Set `args.file` to - if no file was named, and check it; with `advice`, a folder is refused.

    FileError; UsageError if nothing is piped in.
    """
    if args.file is None:
        _need_pipe(args.named.prog)
        args.file = Path(_STDIN)
    if advice:
        refuse_directory(args.file, advice)
    if not is_stdin(args) and not args.file.exists():
        raise no_such_file(args.file)


def is_stdin(args: argparse.Namespace) -> bool:
    return str(args.file) == _STDIN


@contextlib.contextmanager
def open_source(args: argparse.Namespace) -> Generator[Source]:
    if is_stdin(args):
        yield StdinSource()
        return
    with reading(args.file) as file:
        yield file


def size_of_source(args: argparse.Namespace) -> int | None:
    """Return the size of a file, or None for a pipe."""
    found = _stat(sys.stdin if is_stdin(args) else args.file)
    return found.st_size if found and stat.S_ISREG(found.st_mode) else None


def choose_target(args: argparse.Namespace, derive: Callable[[Path], Path]) -> Path | None:
    """Return the output path, or None for stdout. FileError if the file exists, or is the input."""
    if args.output is None and not is_stdin(args):
        args.output = derive(args.file)
    path = output_path(args)
    _refuse_same(args, path)
    if path:
        refuse_existing(path, args.force)
    return path


def _need_pipe(command: str) -> None:
    """Raise UsageError unless stdin is a pipe or a file: nobody means a terminal or /dev/null without saying so."""
    found = _stat(sys.stdin)
    if not found or not any(is_one(found.st_mode) for is_one in (stat.S_ISFIFO, stat.S_ISREG, stat.S_ISSOCK)):
        advice = f"name one: {command} FILE; or pipe it in: {command} < FILE; use - to type it"
        raise UsageError("no file is named, and nothing is piped in", advice)


def _refuse_same(args: argparse.Namespace, target: Path | None) -> None:
    """Raise FileError if input and output are one file, under any two names."""
    read, written = _stat(sys.stdin if is_stdin(args) else args.file), _stat(target or sys.stdout)
    if read and written and stat.S_ISREG(read.st_mode) and os.path.samestat(read, written):
        names = "stdin" if is_stdin(args) else args.file, target or "stdout"
        raise FileError("{} and {} are the same file".format(*names), "name another file for the output: -o OTHER")


def _stat(file: Any) -> os.stat_result | None:
    """Return the status of a path or of an open file, or None if it has none."""
    try:
        return file.stat() if isinstance(file, Path) else os.fstat(file.fileno())
    except (OSError, ValueError, AttributeError):  # missing; not a file of the system; closed by the shell
        return None
