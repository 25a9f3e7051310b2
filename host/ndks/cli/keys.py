# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands key and stream."""

import argparse
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import streams
from ndks.driver.answers import Key, Status
from ndks.driver.catching_up import check_in_turn
from ndks.driver.exported_keys import ExportedKey, without_unused
from ndks.driver.unit import Unit
from ndks.exceptions import NdksError
from ndks.keys.bit_text import BITS, FORMATS, RAW, encoded
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network
from ndks.whole_file import refuse_existing, write_private
from ndks_protocol.commands import MAX_JUMP
from ndks_protocol.errors import TOO_FAR

from . import formats
from .arguments import add_output, add_path, add_unit, bits, index, need, output_path
from .output import Output, need_stdout, note, warn_of_suite, write_stdout
from .parser import Parser, set_up

_RESUME = "the same command resumes it"


def add_key(parser: Parser) -> None:
    set_up(parser, _KEY_EXAMPLES, key)
    _add_index(parser)
    add_path(
        parser,
        "--network",
        completes="NETWORK",
        metavar="NETWORK",
        help="with --index: compute the key from this network file, without a unit",
    )
    parser.add_argument("--bits", metavar="B", type=bits, default=256, help="number of bits (default: 256)")
    formats.add_format(parser, ("hex", "bits", "base64", "raw"), "hex")
    add_output(parser)
    add_unit(parser)


def add_stream(parser: Parser) -> None:
    set_up(parser, _STREAM_EXAMPLES, stream)
    _add_index(parser)
    parser.add_argument("--bits", metavar="B", type=bits, required=True, help="number of bits")
    text = "raw: packed bytes (default); bits: ones and zeros, and a line feed at the end"
    parser.add_argument("--format", choices=FORMATS, default=RAW, help=text)
    add_output(parser)
    add_unit(parser)


_KEY_EXAMPLES = """\
  ndks key                              the next key, 256 bits; it is then used up
  ndks key --index 7 --format base64    key 7, which stays readable
  ndks key --index 7 --advance          key 7, and the next key will be 8
  ndks key --bits 1024 -o key.hex
  ndks key --index 7 --network office.ndksnet    key 7, without a unit"""
_STREAM_EXAMPLES = """\
  ndks stream --bits 192000000 -o primal.key     after an interruption, the same command resumes
  ndks stream --index 5 --bits 8000000 -o - | sha256sum
  ndks stream --bits 1000000 --format bits -o - | fold -w 64 | less"""


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--index", metavar="K", type=index, help="key index (default: the next key, which is then used up)"
    )
    parser.add_argument("--advance", action="store_true", help="with --index: use up this key and all before it")
    parser.add_argument(
        "--allow-jump", action="store_true", help="with --advance: permit a jump of more than 2^20 keys"
    )


def key(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    _check_index_options(args)
    if args.network:
        _check_offline_options(args)
    need(not (out.as_json and args.format == "raw" and path is None), "raw bytes cannot be part of JSON", "add -o FILE")
    if path:
        refuse_existing(path, args.force)
    else:
        need_stdout()
    if args.format == RAW and path is None:
        formats.refuse_terminal()
    values = _key_offline(args, path, out) if args.network else _key_of_unit(args, path, out)
    if path:
        text = f"{path}: {values['bits']} bits of key {values['index']}"
        out.done({**values, "format": args.format, "file": str(path)}, text)


def _key_of_unit(args: argparse.Namespace, path: Path | None, out: Output) -> dict[str, Any]:
    with ndks.open(args.unit, args.timeout) as unit:
        status = _member_status(unit, args)
        with unit.taking_key(args.bits, args.index, epoch=status.epoch, **_use(args)) as wanted:
            values = _describe(wanted, status.suite, went_back=unit.went_back)
            _put_out(wanted.read(), args, path, values, out)
            return values


def _key_offline(args: argparse.Namespace, path: Path | None, out: Output) -> dict[str, Any]:
    network = Network.load(args.network)
    data = exported_key(network, args.index, (args.bits + 7) // 8)
    obtained = Key(args.index, network.epoch, args.bits, data[:-1] + without_unused(data[-1:], args.bits))
    values = _describe(obtained, network.suite)
    note("computed offline: no unit knows that this key was taken")
    _put_out(obtained, args, path, values, out)
    return values


def stream(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    need(args.output is not None, "a stream needs -o FILE", "use -o - for stdout")
    need(not (path is None and out.as_json), "stdout cannot carry both the stream and JSON", "add -o FILE")
    _check_index_options(args)
    if path is None:
        need_stdout()
    with ndks.open(args.unit, args.timeout) as unit:
        status = _member_status(unit, args)
        if path is None:
            _to_stdout(unit, args, out, status)
            return
        values = _to_file(unit, args, out, path, status)
    values |= {"format": args.format, "file": str(path)}
    out.done(values, f"{path}: {values['bits']} bits of key {values['index']}")


def _to_file(unit: Unit, args: argparse.Namespace, out: Output, path: Path, status: Status) -> dict[str, Any]:
    plan = streams.plan_download(unit, path, args.bits, args.index, force=args.force, form=args.format)
    args.resume_advice = _RESUME
    try:
        with unit.taking_key(plan.bits, plan.k, epoch=plan.epoch, **_use(args)) as wanted:
            values = _describe(wanted, status.suite, went_back=unit.went_back)
            with out.progress(_size(args), path.name, streams.received(path)) as bar:
                streams.download(unit, path, plan, bar.update)
    except NdksError as error:
        error.advice = f"{error.advice}; {_RESUME}"
        raise
    streams.finish(path)
    return values


def _to_stdout(unit: Unit, args: argparse.Namespace, out: Output, status: Status) -> None:
    if args.format == RAW:
        formats.refuse_terminal()
    with unit.taking_key(args.bits, args.index, epoch=status.epoch, **_use(args)) as wanted:
        _describe(wanted, status.suite)
        with out.progress(_size(args), "stdout", visible=args.format == RAW) as bar:
            for block in encoded(wanted.blocks(), args.bits, args.format):
                write_stdout(block)
                bar.update(len(block))


def _size(args: argparse.Namespace) -> int:
    """Return how many bytes the stream will have."""
    return args.bits + 1 if args.format == BITS else (args.bits + 7) // 8


def _member_status(unit: Unit, args: argparse.Namespace) -> Status:
    """Return the status of a member; raise RANGE or TOO_FAR early, where the acknowledgement would be refused."""
    status = unit.unlock()
    if args.advance:
        check_in_turn(args.index)
    if args.advance and not args.allow_jump and args.index > unit.next_index()[1] + MAX_JUMP:
        raise ndks.DeviceError(TOO_FAR)
    return status


def _describe(wanted: ExportedKey | Key, suite: str, *, went_back: bool = False) -> dict[str, Any]:
    """Print the key's index and size on stderr, and return them for JSON."""
    note(f"key {wanted.index} of epoch {wanted.epoch}, {wanted.bits} bits, suite {suite}")
    values = {"index": wanted.index, "epoch": wanted.epoch, "bits": wanted.bits, "suite": suite}
    if went_back:
        values["went_back"] = True
    return values | warn_of_suite(suite)


def _check_index_options(args: argparse.Namespace) -> None:
    need(
        args.index is not None or not args.advance,
        "--advance needs --index",
        "omit it: without --index, the key is always used up",
    )
    need(args.advance or not args.allow_jump, "--allow-jump needs --advance")


def _check_offline_options(args: argparse.Namespace) -> None:
    need(not args.unit, "--unit and --network exclude each other", "use one of them")
    need(not args.advance, "--advance needs a unit", "omit it with --network")
    need(args.index is not None, "--network needs --index: only a unit knows which key is next", "add --index K")


def _use(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `taking_key`: whether to acknowledge the key, and whether it may be far ahead."""
    return {"use_up": args.index is None or args.advance, "allow_jump": args.allow_jump}


def _put_out(obtained: Key, args: argparse.Namespace, path: Path | None, values: dict[str, Any], out: Output) -> None:
    form = args.format
    encoded = formats.encode(obtained.data, obtained.bits, form)
    if path:
        write_private(path, encoded, overwrite=args.force)
    elif out.as_json:
        out.result({**values, "format": form, "key": encoded.decode().strip()}, "")
    else:
        formats.to_stdout(encoded, form)
