# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command inspect: what an outsider or a member sees of a capsule."""

import argparse
import os
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import capsules, offline_capsules
from ndks.driver.folder_volumes import capsule_size, volumes_in
from ndks.exceptions import DeviceError, device_error
from ndks.files import Source
from ndks.folders.volumes import HEAD_SIZE
from ndks.line import discovery
from ndks.network import any_file
from ndks_protocol import commands, errors
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, SYNC_SIZE, TAG_SIZE

from . import folders
from .arguments import add_unit, need
from .capsules import add_network
from .message_files import add_source, check_source, open_source
from .output import Output, warn_of_suite
from .parser import Parser, set_up

_MUCH = 1 << 16  # bytes read at once
_SMALLEST = commands.WIRE_HEADER_SIZE + SYNC_SIZE + CHECK_SIZE + TAG_SIZE


def add_inspect(parser: Parser) -> None:
    set_up(parser, _INSPECT_EXAMPLES, inspect)
    add_source(parser, "CAPSULE", "the capsule")
    add_network(parser, "show what a member sees, with this network file or the administrator's file")
    parser.add_argument("--list", action="store_true", help="list what is in a folder, when all of it is verified")
    add_unit(parser, "$NDKS_UNIT, or none, which shows what an outsider sees")


_INSPECT_EXAMPLES = """\
  ndks inspect letter.txt.ndks                             what an outsider sees
  ndks inspect letter.txt.ndks --unit emulator:bob         what a member sees
  ndks inspect letter.txt.ndks --network office.ndksnet
  ndks inspect photos.ndks --list --unit emulator:bob      what is in a folder"""


def inspect(args: argparse.Namespace, out: Output) -> None:
    need(not (args.network and args.unit), "--unit and --network exclude each other", "use one of them")
    args.unit = args.unit or ("" if args.network else os.environ.get(discovery.ENVIRONMENT, ""))
    check_source(args, "name a capsule")
    if args.list:
        need(bool(args.network or args.unit), "only members can read what is in a folder", "add --unit or --network")
        with open_source(args) as source:
            folders.list_entries(args, out, source, any_file.load(args.network) if args.network else None)
        return
    with open_source(args) as source:
        header = capsules.read_header(source)
        body = _count(source)
    size = len(header) + body
    sizes, text = _sizes(size)
    values: dict[str, Any] = {"file": str(args.file), "version": header[0], "size": size, **sizes}
    rows = [("capsule", f"{args.file}, version {header[0]}"), ("size", f"{size} bytes, {text}")]
    if args.network or args.unit:
        seen = _member_view_offline(args.network, header) if args.network else _member_view(args, header)
        values |= {"member": seen, **warn_of_suite(seen["suite"])}
        rows += [(name.removeprefix("capsule_"), str(value)) for name, value in seen.items()]
    else:
        rows.append(
            ("the rest", "masked: only members can read sender, number, suite and cipher (--unit or --network)")
        )
    out.result(values, "\n".join(f"{name:9} {value}" for name, value in rows))


def _sizes(size: int) -> tuple[dict[str, int], str]:
    """Return what the size of a file tells: it has one capsule, or the volumes of a folder. AuthenticationError."""
    capsule, folder = _in_capsule(size), _in_volumes(size)
    found = capsule or folder
    if not found:
        raise device_error(errors.AUTH)  # cut off
    values = {"chunks": found[0], "bytes": found[1]}
    text = f"chunks: {found[0]}, for {found[1]} bytes of data (not verified)"
    if not folder:
        return values, text
    count = volumes_in(size)
    return {**values, "volumes": count}, f"{text}, {'or' if capsule else 'as'} a folder in {count} volumes"


def _in_volumes(size: int) -> tuple[int, int] | None:
    """Return the numbers of chunks and bytes of a folder in several volumes of this size; None: no folder has it."""
    others = volumes_in(size) - 1
    whole, last = _in_capsule(capsule_size()), _in_capsule(size - others * capsule_size())
    if not (others and whole and last):
        return None
    return others * whole[0] + last[0], others * whole[1] + last[1] - (others + 1) * HEAD_SIZE


def _in_capsule(size: int) -> tuple[int, int] | None:
    """Return the numbers of chunks and bytes of data in a capsule of this size; None: no capsule has it."""
    body = size - commands.WIRE_HEADER_SIZE
    if size < _SMALLEST or 1 <= body % (CHUNK + TAG_SIZE) <= TAG_SIZE:
        return None
    chunks = -(-body // (CHUNK + TAG_SIZE))
    return chunks, body - chunks * TAG_SIZE - SYNC_SIZE - CHECK_SIZE


def _member_view(args: argparse.Namespace, header: bytes) -> dict[str, Any]:
    with ndks.open(args.unit, args.timeout) as unit:
        status = unit.unlock()
        try:
            seen = unit.inspect(header)
        except DeviceError as error:
            if error.number != errors.REFLECTED:
                raise
            return {"lane": status.lane, "suite": status.suite, "capsule_state": "made by this unit"}
    return {
        "lane": seen.lane,
        "number": seen.number,
        "cipher": seen.cipher,
        "suite": status.suite,
        "capsule_state": seen.state,
    }


def _member_view_offline(path: Path, wire: bytes) -> dict[str, Any]:
    known = any_file.load(path)
    header = offline_capsules.read_masked(known, wire)
    unit = any_file.unit_on(known, header.lane)
    suite = commands.SUITES[header.suite] if header.suite < len(commands.SUITES) else f"unknown ({header.suite})"
    return {
        "lane": header.lane,
        "sender": (unit[0] or f"unit {unit[1]}") if unit else "",
        "number": header.number,
        "cipher": commands.CIPHERS[header.cipher],
        "suite": suite,
        "salt": header.salt.hex(),
    }


def _count(source: Source) -> int:
    size = 0
    while data := source.read(_MUCH):
        size += len(data)
    return size
