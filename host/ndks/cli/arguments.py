# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Shared options of commands, and argument types."""

import argparse
import os
import re
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError, UsageError
from ndks.paths import at_home, follow, is_there, refuse_long_name
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol.commands import MAX_NUMBER
from ndks_protocol.generator import F1, F2, MAX_ELEMENTS

DIGITS = 3  # the default of -d
_MOST_DIGITS = 40  # of any number
_UNITS = {"ms": 10**6, "s": 10**9}  # nanoseconds
_QUOTED = 40  # characters quoted of an invalid argument


def add_unit(parser: argparse.ArgumentParser, default: str = "$NDKS_UNIT, or the only one") -> None:
    """Add --unit and --timeout, which may stand before the command too."""
    parser.set_defaults(takes_unit=True)
    add_unit_options(parser, default)


def add_unit_options(parser: argparse.ArgumentParser, default: str) -> None:
    unit: Any = parser.add_argument(
        "--unit",
        metavar="UNIT",
        default=argparse.SUPPRESS,
        help=f"port, serial number, socket://127.0.0.1:PORT, emulator:DIR or unix:PATH (default: {default})",
    )
    unit.completes = "UNIT"
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=argparse.SUPPRESS,
        help=f"longest wait for one answer (default: {DEFAULT_TIMEOUT:g})",
    )


def add_path(parser: Any, *names: str, completes: str = "FILE", **options: Any) -> None:
    """Add a path argument with shell completion: of any FILE, a DIRECTORY, an ADMINISTRATOR's file, a
    NETWORK file or an administrator's (NETWORK), or packages as well (MEMBERSHIP).
    """
    argument: Any = parser.add_argument(*names, type=file_path, **options)
    argument.completes = completes


def add_parameters(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add --p1, --p2 and -d; `default` explains what replaces a missing p1 or p2."""
    for name in ("p1", "p2"):
        parser.add_argument(f"--{name}", metavar="DECIMAL", help=f"parameter {name} {default}".rstrip())
    parser.add_argument(
        "-d", "--digits", metavar="D", type=whole, help=f"number of decimal places d, 1 to 12 (default: {DIGITS})"
    )


def add_operators(parser: argparse.ArgumentParser, default: str = f"{F1[0]}, {F2[0]}") -> None:
    """Add --f1 and --f2."""
    f1, _, f2 = default.partition(", ")
    parser.add_argument(
        "--f1",
        choices=F1,
        help=f"y1 = p2 sin(p1 k), p1 k + p2 k^2 or p2 sinh(p1 sin k) (default: {f1})",
    )
    parser.add_argument("--f2", choices=F2, help=f"y2 = cos(y1 e), cos(y1 e^2) or cos(y1 e^3) (default: {f2 or f1})")


def add_output(parser: argparse.ArgumentParser, text: str = "write to FILE, with mode 0600; - is stdout") -> None:
    """Add -o and --force."""
    add_path(parser, "-o", "--output", metavar="FILE", help=text)
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")


def output_path(args: argparse.Namespace) -> Path | None:
    """Return the path of -o, or None for stdout."""
    path: Path | None = args.output
    if path is None or str(path) == "-":
        return None
    refuse_directory(path, "name a file in it")
    if is_there(path) and not path.is_file():
        raise FileError(f"{path} is not a regular file", "name another, or use - for stdout")
    refuse_long_name(path)
    return follow(path) if path.is_symlink() else path  # a symbolic link is not replaced


def new_path(args: argparse.Namespace) -> Path:
    """Return the path of -o for a file that is never written to stdout. UsageError."""
    need(str(args.output) != "-", "this file cannot go to stdout", "name a file: -o FILE")
    return args.output


def refuse_directory(path: Path, advice: str) -> None:
    """Raise FileError when `path` is a directory."""
    if is_there(path) and path.is_dir():
        raise FileError(f"{path} is a directory", advice)


def file_path(text: str) -> Path:
    try:
        if text and b"\0" not in os.fsencode(text):
            return Path(at_home(text))
    except UnicodeEncodeError:
        pass
    raise argparse.ArgumentTypeError(f"{quoted(text)} is not a path")


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number of seconds") from None
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("must be above 0 and at most 3600")
    return value


def duration(text: str) -> int:
    """Return nanoseconds: of 100ms, 1s or 0.5s."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a duration, such as 100ms or 1s")
    value = round(float(found[1]) * _UNITS[found[2]])
    if not _UNITS["ms"] <= value <= 3600 * _UNITS["s"]:
        raise argparse.ArgumentTypeError("must be 1ms to 3600s")
    return value


def whole(text: str) -> int:
    digits = text.strip().lstrip("+-")
    if len(digits) > _MOST_DIGITS and digits.isdecimal():
        raise argparse.ArgumentTypeError(f"a number of {len(digits)} digits is too large")
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number") from None


def bounded(text: str, low: int, high: int, message: str) -> int:
    value = whole(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(message)
    return value


def bits(text: str) -> int:
    return bounded(text, 1, MAX_ELEMENTS, "a key has 1 to 2^40 bits")


def index(text: str) -> int:
    return bounded(text, 1, MAX_NUMBER, "the index of an exported key must be between 1 and 2^48 - 1")


def need(condition: bool, message: str, advice: str = "") -> None:
    """Raise UsageError unless the condition holds."""
    if not condition:
        raise UsageError(message, advice)


def quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}...")
