# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Live lines of symbols: each stretch is a capsule, a line of Base64, which is there as soon as the stretch ends."""

import argparse
import base64
import binascii
import io
import sys
from collections.abc import Iterator

import ndks
from ndks.driver.unit import Unit
from ndks.exceptions import DeviceError, NdksError, SymbolsError, device_error
from ndks.symbols.streams import Tally
from ndks.symbols.symbols import Symbols, unmarked
from ndks.symbols.text import texts
from ndks_protocol import errors

from .arguments import need
from .live_lines import LiveInput
from .output import Output, error_values, need_stdout, report, warn_of_suite, write_stdout
from .stdin import StdinSource

_LONGEST = 1 << 20  # bytes of a line; a stretch has at most about 50,000
_CAPSULES = 0x04  # the group of errors that a capsule is to blame for


def seal(args: argparse.Namespace, out: Output) -> None:
    """Seal what arrives at stdin until it ends."""
    _need_no_file(args)
    line = LiveInput(args)
    with ndks.open(args.unit, args.timeout) as unit:
        status = unit.unlock()
        warn_of_suite(status.suite)
        for symbols in line.messages():
            capsule = base64.b64encode(unit.seal_symbols(symbols, cipher=args.cipher or status.cipher)).decode()
            out.result({"capsule": capsule, **counts(symbols)}, capsule)


def open_all(args: argparse.Namespace, out: Output) -> int:
    """Open the capsules that come until stdin ends; return the exit status of the first one that was refused."""
    _need_no_file(args)
    status = 0
    with ndks.open(args.unit, args.timeout) as unit:
        warn_of_suite(unit.unlock().suite)
        for number, line in enumerate(_lines(), 1):
            try:
                _open(unit, line, args, out)
            except NdksError as error:
                if not _is_of_capsule(error):
                    raise
                status = status or error.exit_status
                report(error.code, f"line {number}: {error}", error.advice)
                if out.as_json:
                    out.result({"line": number, "error": error_values(error)}, "")
    return status


def _open(unit: Unit, line: bytes, args: argparse.Namespace, out: Output) -> None:
    """Open a capsule, print its symbols, and only then accept it."""
    source, data = io.BytesIO(_capsule_in(line)), io.BytesIO()
    with unit.taking_message(source, again=args.again, allow_jump=args.allow_jump) as message:
        opened = message.unseal_into(data)
        symbols = unmarked(data.getvalue())
        if out.as_json:
            out.result({"lane": opened.lane, "number": opened.number, "symbols": symbols.text(), **counts(symbols)}, "")
        else:
            for part in texts(symbols.runs(), expand=args.expand):
                write_stdout(part.encode())
            write_stdout(b"\n")


def counts(symbols: Symbols | Tally) -> dict[str, int]:
    return {"bits": symbols.bits, "nothings": symbols.nothings}


def _capsule_in(line: bytes) -> bytes:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except binascii.Error:
        raise device_error(errors.CAPSULE_VERSION) from None


def _is_of_capsule(error: NdksError) -> bool:
    """Return whether an error concerns one capsule, so that the next one may be good."""
    if isinstance(error, DeviceError):
        return error.number >> 8 == _CAPSULES or error.number == errors.TOO_FAR
    return isinstance(error, SymbolsError)


def _lines() -> Iterator[bytes]:
    StdinSource()  # FileError if it is closed
    while line := sys.stdin.buffer.readline(_LONGEST):
        need(len(line) < _LONGEST, "a line is too long for a capsule", "give the lines of ndks symbols seal --live")
        yield line


def _need_no_file(args: argparse.Namespace) -> None:
    is_file = args.output is not None or (args.file is not None and str(args.file) != "-")
    need(not is_file, "a live line comes from stdin and goes to stdout", "omit FILE and -o, or --live")
    need_stdout()
