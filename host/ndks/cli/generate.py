# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""generate: bare equation 7 in software, without a unit."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from ndks.exceptions import UsageError
from ndks.files import private_file, refuse_existing
from ndks.generator import MAX_ELEMENTS, Generator, Keystream

from . import formats
from .arguments import add_command, add_output, bits, output_path
from .output import Output, warn_of_suite, write_stdout


def add_commands(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "generate",
        "compute key bits of the paper's equation 7, exactly, without a unit",
        _EXAMPLES,
        generate,
    )
    parser.add_argument("--p1", metavar="DECIMAL", required=True, help="parameter p1")
    parser.add_argument("--p2", metavar="DECIMAL", required=True, help="parameter p2")
    parser.add_argument(
        "-d", "--digits", metavar="D", type=int, default=3, help="decimal place d, 1 to 12 (default: 3)"
    )
    parser.add_argument("--key-index", metavar="K", type=int, default=1, help="key index k, 1 to 2^64 (default: 1)")
    parser.add_argument("--first", metavar="E", type=int, default=0, help="first element index (default: 0)")
    parser.add_argument("--bits", metavar="B", type=bits, default=1024, help="how many bits (default: 1024)")
    formats.add_format(parser, ("bits", "hex", "raw"), "bits")
    add_output(parser)


_EXAMPLES = """\
  ndks generate --p1 0.52 --p2 25 --digits 3 --key-index 1     the first key that the paper prints
  ndks generate --p1 0.52 --p2 25 --first 1000000000000 --bits 64 --format hex
  ndks generate --p1 0.52 --p2 25 --bits 8000000 --format raw -o key.bin"""


def generate(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    try:
        keystream = Generator(args.p1, args.p2, args.digits).key(args.key_index)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 0 <= args.first <= MAX_ELEMENTS - args.bits:
        raise UsageError("elements lie between 0 and 2^40 - 1")
    warning = warn_of_suite("paper")  # which bare equation 7 is
    values = {"k": args.key_index, "first": args.first, "bits": args.bits, "format": args.format, **warning}
    if path:
        refuse_existing(path, args.force)
        with private_file(path, overwrite=args.force) as file:
            _write(file.write, keystream, args, out)
        out.result({**values, "file": str(path)}, f"{path}: {args.bits} bits")
    elif out.as_json:
        if args.format == "raw":
            raise UsageError("raw bytes do not fit into JSON", "add -o FILE")
        key = b"".join(_encoded(keystream, args, lambda _: None)).decode().strip()
        out.result({**values, "key": key}, "")
    else:
        if args.format == "raw":
            formats.refuse_terminal()
        _write(write_stdout, keystream, args, out)


def _write(write: Callable[[bytes], object], keystream: Keystream, args: argparse.Namespace, out: Output) -> None:
    with out.progress((args.bits + 7) // 8, "generate") as bar:
        for block in _encoded(keystream, args, bar.update):
            write(block)


def _encoded(keystream: Keystream, args: argparse.Namespace, progress: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the output in blocks, so that memory does not grow with its length; `progress` is told their key bytes."""
    bits_left = args.bits
    for data in keystream.blocks(args.first, args.bits):
        block = formats.encode(data, min(bits_left, 8 * len(data)), args.format)
        bits_left -= 8 * len(data)
        progress(len(data))
        yield block if args.format == "raw" else block[:-1]
    if args.format != "raw":
        yield b"\n"
