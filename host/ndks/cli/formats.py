# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Output formats of key bits: bits, hex, base64 or packed bytes (element 0 is the most significant bit of byte 0)."""

import argparse
import base64
import sys
from collections.abc import Sequence

from ndks.exceptions import UsageError
from ndks.keys.bit_text import bit_text

from .output import write_stdout


def add_format(parser: argparse.ArgumentParser, names: Sequence[str], default: str) -> None:
    parser.add_argument("--format", choices=names, default=default, help=f"default: {default}; raw is packed bytes")


def encode(data: bytes, bits: int, form: str) -> bytes:
    """Return a key in a format; the text formats end with a newline."""
    if form == "raw":
        return data
    text = {"hex": data.hex, "base64": lambda: base64.b64encode(data).decode(), "bits": lambda: bit_text(data, bits)}
    return (text[form]() + "\n").encode()


def to_stdout(encoded: bytes, form: str) -> None:
    if form == "raw":
        refuse_terminal()
    write_stdout(encoded)


def refuse_terminal(advice: str = "add -o FILE, or choose another --format") -> None:
    """Raise UsageError when stdout is a terminal."""
    if sys.stdout and sys.stdout.isatty():
        raise UsageError("raw bytes cannot be shown on a terminal", advice)
