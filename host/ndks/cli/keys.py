# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""key, stream."""

import argparse
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import streams as download
from ndks.driver.answers import Key, Status
from ndks.driver.unit import Unit
from ndks.exceptions import NdksError
from ndks.files import refuse_existing, write_private
from ndks_protocol.commands import MAX_JUMP
from ndks_protocol.errors import TOO_FAR

from . import formats
from .arguments import add_command, add_output, add_unit, bits, index, need, output_path
from .output import Output, need_stdout, note, warn_of_suite, write_stdout

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
    parser.add_argument("--allow-jump", action="store_true", help="with --advance: also more than 2^20 keys ahead")


def key(args: argparse.Namespace, out: Output) -> None:
    path = output_path(args)
    _check_index_options(args)
    need(not (out.as_json and args.format == "raw" and path is None), "raw bytes do not fit into JSON", "add -o FILE")
    if path:
        refuse_existing(path, args.force)
    else:
        need_stdout()
    with ndks.open(args.unit, args.timeout) as unit:
        status = _member_status(unit, args)
        wanted = unit.next_index()[1] if args.index is None else args.index
        values = _describe(unit, status, wanted, args.bits)
        obtained = unit.key(wanted, args.bits, epoch=status.epoch)
        _put_out(obtained, args, path, values, out)
        # Only now is the key safely out; whatever stopped us before left it to be asked for again.
        try:
            _acknowledge(unit, args, status.epoch, wanted)
        except NdksError as error:
            error.advice = f"the key is complete, but not used up yet: ndks key --index {wanted} --advance does that"
            raise
    if path:
        text = f"{path}: {obtained.bits} bits of key {obtained.index}"
        out.done({**values, "format": args.format, "file": str(path)}, text)


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
        plan = download.plan_download(unit, path, args.bits, args.index, force=args.force)
        values = _describe(unit, status, plan.k, plan.bits)
        args.resume_advice = _RESUME
        _to_file(unit, args, out, path, plan)
    out.done({**values, "file": str(path)}, f"{path}: {plan.bits} bits of key {plan.k}")


def _to_file(unit: Unit, args: argparse.Namespace, out: Output, path: Path, plan: download.Plan) -> None:
    try:
        with out.progress((plan.bits + 7) // 8, path.name, download.received(path)) as bar:
            download.download(unit, path, plan, bar.update)
        _acknowledge(unit, args, plan.epoch, plan.k)
    except NdksError as error:
        error.advice = f"{error.advice}; {_RESUME}"
        raise
    download.finish(path)


def _to_stdout(unit: Unit, args: argparse.Namespace, out: Output, status: Status) -> None:
    formats.refuse_terminal()
    wanted = unit.next_index()[1] if args.index is None else args.index
    _describe(unit, status, wanted, args.bits)
    with out.progress((args.bits + 7) // 8, "stdout") as bar:
        for block in unit.stream_key(wanted, args.bits, epoch=status.epoch):
            write_stdout(block)
            bar.update(len(block))
    _acknowledge(unit, args, status.epoch, wanted)


def _member_status(unit: Unit, args: argparse.Namespace) -> Status:
    """Return the status of a unit that can do what it is asked for; refuse what it would refuse in the end."""
    status = unit.member_status()
    if args.advance and not args.allow_jump and args.index > unit.next_index()[1] + MAX_JUMP:
        raise ndks.DeviceError(TOO_FAR)
    return status


def _describe(unit: Unit, status: Status, index: int, bits: int) -> dict[str, Any]:
    """Say on stderr which key is got, and return the same for JSON."""
    note(f"key {index} of epoch {status.epoch}, {bits} bits, suite {status.suite}")
    values = {"index": index, "epoch": status.epoch, "bits": bits, "suite": status.suite}
    if unit.went_back:
        values["went_back"] = True
    return values | warn_of_suite(status.suite)


def _check_index_options(args: argparse.Namespace) -> None:
    need(args.index is not None or not args.advance, "--advance goes with --index", "without --index it is done anyway")
    need(args.advance or not args.allow_jump, "--allow-jump goes with --advance")


def _acknowledge(unit: Unit, args: argparse.Namespace, epoch: int, used: int) -> None:
    if args.index is None or args.advance:
        unit.acknowledge(epoch, used, allow_jump=args.allow_jump)


def _put_out(obtained: Key, args: argparse.Namespace, path: Path | None, values: dict[str, Any], out: Output) -> None:
    form = args.format
    encoded = formats.encode(obtained.data, obtained.bits, form)
    if path:
        write_private(path, encoded, overwrite=args.force)
    elif out.as_json:
        out.result({**values, "format": form, "key": encoded.decode().strip()}, "")
    else:
        formats.to_stdout(encoded, form)
