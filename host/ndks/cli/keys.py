# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""key, stream."""

import argparse
from pathlib import Path
from typing import Any

import ndks
from ndks import download
from ndks.exceptions import NdksError
from ndks.files import refuse_existing, write_private
from ndks.unit import Key, Unit

from . import formats
from .arguments import add_command, add_output, add_unit, bits, index, need, output_path
from .output import Output, note, warn_of_suite, write_stdout

_RESUME = "the same command goes on where it stopped"


def add_commands(subparsers: Any) -> None:
    parser = add_command(subparsers, "key", "get a key from a unit", _KEY_EXAMPLES, key)
    _add_index(parser)
    parser.add_argument("--bits", metavar="B", type=bits, default=256, help="how many bits (default: 256)")
    formats.add_format(parser, ("hex", "bits", "base64", "raw"), "hex")
    add_output(parser)
    add_unit(parser)

    parser = add_command(subparsers, "stream", "get a key of any length into a file", _STREAM_EXAMPLES, stream)
    _add_index(parser)
    parser.add_argument("--bits", metavar="B", type=bits, required=True, help="how many bits")
    add_output(parser)
    add_unit(parser)


_KEY_EXAMPLES = """\
  ndks key                              the next key, 256 bits; it is then used up
  ndks key --index 7 --format base64    key 7, as often as you like
  ndks key --index 7 --advance          key 7, and the next one will be 8
  ndks key --bits 1024 -o key.hex"""
_STREAM_EXAMPLES = """\
  ndks stream --bits 192000000 -o primal.key     interrupted? the same command goes on
  ndks stream --index 5 --bits 8000000 -o - | sha256sum"""


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--index", metavar="K", type=index, help="this key (default: the next one, which is then used up)"
    )
    parser.add_argument("--advance", action="store_true", help="with --index: the unit goes on after this key")
    parser.add_argument("--leave", action="store_true", help="with --advance: also more than 2^20 keys ahead")


def key(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    _check_index_options(args)
    need(not (out.as_json and args.format == "raw" and path is None), "raw bytes do not fit into JSON", "add -o FILE")
    if path:
        refuse_existing(path, args.force)
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.status().suite
        epoch, next_index = unit.next_index()
        wanted = args.index or next_index
        note(f"key {wanted} of epoch {epoch}, {args.bits} bits, suite {suite}")
        obtained = unit.key(wanted, args.bits, epoch=epoch)
        values = {"index": wanted, "epoch": epoch, "bits": args.bits, "suite": suite, **warn_of_suite(suite)}
        _put_out(obtained, args.format, path, values, out)
        # Only now is the key safely out; whatever stopped us before left it to be asked for again.
        _acknowledge(unit, args, epoch, wanted)


def stream(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    need(args.output is not None, "a stream needs -o FILE", "use -o - for stdout")
    need(not (path is None and out.as_json), "stdout cannot carry both the stream and JSON", "add -o FILE")
    _check_index_options(args)
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.status().suite
        warning = warn_of_suite(suite)
        if path is None:
            epoch, index_used = _to_stdout(unit, args, out)
        else:
            args.resume_advice = _RESUME
            epoch, index_used = _to_file(unit, args, path, out)
        _acknowledge(unit, args, epoch, index_used)
    if path is not None:
        values = {"index": index_used, "epoch": epoch, "bits": args.bits, "suite": suite, "file": str(path), **warning}
        out.result(values, f"{path}: {args.bits} bits of key {index_used}")


def _to_file(unit: Unit, args: argparse.Namespace, path: Path, out: Output) -> tuple[int, int]:
    plan = download.plan_download(unit, path, args.bits, args.index, force=args.force)
    note(f"key {plan.k} of epoch {plan.epoch}, {plan.bits} bits")
    try:
        with out.progress((plan.bits + 7) // 8, path.name) as bar:
            download.download(unit, path, plan, bar.update)
    except NdksError as error:
        error.advice = f"{error.advice}; {_RESUME}" if error.advice else _RESUME
        raise
    return plan.epoch, plan.k


def _to_stdout(unit: Unit, args: argparse.Namespace, out: Output) -> tuple[int, int]:
    formats.refuse_terminal()
    epoch, next_index = unit.next_index()
    wanted = args.index or next_index
    note(f"key {wanted} of epoch {epoch}, {args.bits} bits")
    with out.progress((args.bits + 7) // 8, "stdout") as bar:
        for block in unit.stream_key(wanted, args.bits, epoch=epoch):
            write_stdout(block)
            bar.update(len(block))
    return epoch, wanted


def _check_index_options(args: argparse.Namespace) -> None:
    need(args.index is not None or not args.advance, "--advance goes with --index", "without --index it is done anyway")
    need(args.advance or not args.leave, "--leave goes with --advance")


def _acknowledge(unit: Unit, args: argparse.Namespace, epoch: int, used: int) -> None:
    if args.index is None or args.advance:
        unit.acknowledge(epoch, used, leave=args.leave)


def _put_out(obtained: Key, form: str, path: Path | None, values: dict[str, Any], out: Output) -> None:
    encoded = formats.encode(obtained.data, obtained.bits, form)
    if path:
        write_private(path, encoded)
        out.result(
            {**values, "format": form, "file": str(path)}, f"{path}: {obtained.bits} bits of key {obtained.index}"
        )
    elif out.as_json:
        out.result({**values, "format": form, "key": encoded.decode().strip()}, "")
    else:
        formats.to_stdout(encoded, form)
