# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command generate: the key bits of the paper's generator, without encryption and without a unit."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ndks.exceptions import UsageError
from ndks.network.network_file import SUFFIX, Network
from ndks.whole_file import private_file, refuse_existing
from ndks_protocol.generator import F1, F2, MAX_ELEMENTS

from . import formats
from .arguments import DIGITS, add_operators, add_output, add_parameters, add_path, bits, need, output_path, whole
from .output import Output, note, warn_of_suite, write_stdout
from .parser import Parser, set_up

if TYPE_CHECKING:
    from ndks.keys.generator import VectorGenerator, VectorKeystream


def add_generate(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, generate)
    add_parameters(parser)
    add_operators(parser)
    add_path(
        parser,
        "--network",
        completes="NETWORK",
        metavar="NETWORK",
        help=f"use p1, p2, d, f1 and f2 of the network file NAME{SUFFIX}",
    )
    parser.add_argument("--key-index", metavar="K", type=whole, default=1, help="key index k, 1 to 2^64 (default: 1)")
    parser.add_argument("--first", metavar="E", type=whole, default=0, help="first element index (default: 0)")
    parser.add_argument("--bits", metavar="B", type=bits, default=1024, help="number of bits (default: 1024)")
    formats.add_format(parser, ("bits", "hex", "raw"), "bits")
    add_output(parser)


_EXAMPLES = """\
  ndks generate --p1 0.52 --p2 25 --digits 3 --key-index 1     the first key that the paper prints
  ndks generate --p1 0.52 --p2 25 --first 1000000000000 --bits 64 --format hex
  ndks generate --p1 0.52 --p2 25 --f1 hyperbolic --f2 cosine_square
  ndks generate --p1 0.52 --p2 25 --bits 8000000 --format raw -o key.bin"""


def generate(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    network = _load_network(args)
    try:
        keystream = _generator(args, network).key(args.key_index)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 0 <= args.first <= MAX_ELEMENTS - args.bits:
        raise UsageError("element indices must be between 0 and 2^40 - 1")
    if network:
        _say_bare(network.suite, args.network)
    warning = warn_of_suite("paper")  # these bits are not encrypted
    values = {"index": args.key_index, "first": args.first, "bits": args.bits, "format": args.format, **warning}
    if path:
        refuse_existing(path, args.force)
        with private_file(path, overwrite=args.force) as file:
            _write(file.write, keystream, args, out)
        out.done({**values, "file": str(path)}, f"{path}: {args.bits} bits")
    elif out.as_json:
        if args.format == "raw":
            raise UsageError("raw bytes cannot be part of JSON", "add -o FILE")
        key = b"".join(_encoded(keystream, args, lambda _: None)).decode().strip()
        out.result({**values, "key": key}, "")
    else:
        if args.format == "raw":
            formats.refuse_terminal()
        _write(write_stdout, keystream, args, out)


def _load_network(args: argparse.Namespace) -> Network | None:
    """Return the network of --network, which excludes all parameters."""
    if not args.network:
        return None
    parameters = {"--p1": args.p1, "--p2": args.p2, "-d": args.digits, "--f1": args.f1, "--f2": args.f2}
    given = [name for name, value in parameters.items() if value is not None]
    need(not given, f"--network excludes {', '.join(given)}", "omit --network, or the others")
    return Network.load(args.network)


def _generator(args: argparse.Namespace, network: Network | None) -> "VectorGenerator":
    from ndks.keys.generator import VectorGenerator  # here, because NumPy is slow to import

    if network:
        return VectorGenerator.of(network)
    if args.p1 is None or args.p2 is None:
        raise UsageError("p1 and p2 are missing", "add --p1 and --p2, or --network")
    digits = DIGITS if args.digits is None else args.digits
    return VectorGenerator(args.p1, args.p2, digits, args.f1 or F1[0], args.f2 or F2[0])


def _say_bare(suite: str, path: Path) -> None:
    """Print whether these bits are those of a key that units of the network give."""
    bare = "these are bits of the bare equation"
    if suite == "paper":
        note(f"{bare}; in suite paper they are the key")
    else:
        note(f"{bare}, not the key that units of suite {suite} give; for that: ndks key --network {path} --index K")


def _write(
    write: Callable[[bytes], object], keystream: "VectorKeystream", args: argparse.Namespace, out: Output
) -> None:
    with out.progress((args.bits + 7) // 8, "generate") as bar:
        for block in _encoded(keystream, args, bar.update):
            write(block)


def _encoded(
    keystream: "VectorKeystream", args: argparse.Namespace, progress: Callable[[int], object]
) -> Iterator[bytes]:
    """Yield the output in blocks, in constant memory; call `progress` with the key bytes of each block."""
    bits_left = args.bits
    for data in keystream.blocks(args.first, args.bits):
        block = formats.encode(data, min(bits_left, 8 * len(data)), args.format)
        bits_left -= 8 * len(data)
        progress(len(data))
        yield block if args.format == "raw" else block[:-1]
    if args.format != "raw":
        yield b"\n"
