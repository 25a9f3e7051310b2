# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands encrypt and decrypt."""

import argparse
import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import capsules
from ndks.exceptions import FileError
from ndks.files import Sink, Source, reading, refuse_existing, storing
from ndks.network.network_file import Network
from ndks_protocol import commands

from . import formats
from .arguments import add_output, add_path, add_unit, need, output_path, refuse_directory
from .output import Output, StdoutSink, need_stdout, note, warn_of_suite
from .parser import Parser, set_up
from .stdin import StdinSource

_STDIN = "-"
_MODE = "b"


def add_encrypt(parser: Parser) -> None:
    set_up(parser, _ENCRYPT_EXAMPLES, encrypt)
    add_path(parser, "file", metavar="FILE", help="the file to encrypt; - is stdin")
    parser.add_argument("--cipher", choices=commands.CIPHERS, help="default: that of the network")
    _add_mode(parser, "encrypts")
    add_output(parser, "write the capsule to FILE (default: the name with .ndks); - is stdout")
    add_unit(parser)


def add_decrypt(parser: Parser) -> None:
    set_up(parser, _DECRYPT_EXAMPLES, decrypt)
    add_path(parser, "file", metavar="FILE", help="the capsule; - is stdin")
    parser.add_argument("--again", action="store_true", help="open a capsule that was accepted before")
    parser.add_argument("--allow-jump", action="store_true", help="open a capsule whose number is more than 2^20 ahead")
    _add_mode(parser, "decrypts")
    add_network(parser, "decrypt with this network file, without a unit")
    add_output(parser, "write to FILE, with mode 0600 (default: the name without .ndks); - is stdout")
    add_unit(parser)


_ENCRYPT_EXAMPLES = """\
  ndks encrypt letter.txt                     the capsule is letter.txt.ndks
  ndks encrypt film.mp4 --cipher aes          for long files: a key of 256 bits, not of the file's size
  ndks encrypt letter.txt --mode a            the unit gives the key, this computer encrypts
  (set -o pipefail; tar c folder | ndks encrypt - -o folder.tar.ndks)"""
_DECRYPT_EXAMPLES = """\
  ndks decrypt letter.txt.ndks                to letter.txt; the capsule opens once
  ndks decrypt letter.txt.ndks --again -o -   again, to stdout
  ndks decrypt letter.txt.ndks --network office.ndksnet    without a unit"""


def _add_mode(parser: argparse.ArgumentParser, verb: str) -> None:
    text = f"b: the unit {verb}; a: this computer {verb} with keys from the unit (default: b)"
    parser.add_argument("--mode", choices=capsules.MODES, help=text)


def add_network(parser: argparse.ArgumentParser, text: str) -> None:
    add_path(parser, "--network", completes="NETWORK", metavar="FILE", help=text)


def encrypt(args: argparse.Namespace, out: Output) -> None:
    check_source(args.file, f"pack it into one file: tar c {args.file} | ndks encrypt - -o {args.file.name}.tar.ndks")
    target = _target(args, _with_suffix)
    _check_streams(target, out)
    if target is None:
        formats.refuse_terminal("add -o FILE, or pipe it on")
    with open_source(args.file) as source, ndks.open(args.unit, args.timeout) as unit:
        status = unit.member_status()
        cipher, mode = args.cipher or status.cipher, args.mode or _MODE
        values = {"cipher": cipher, "mode": mode, "suite": status.suite, **warn_of_suite(status.suite)}
        with out.progress(_size(args.file), args.file.name, visible=target is not None) as bar:
            size = unit.encrypt(
                source, target or StdoutSink(), cipher=cipher, mode=mode, overwrite=args.force, progress=bar.update
            )
    text = f"{size} bytes, cipher {cipher}, mode {mode}, suite {status.suite}"
    _tell(out, target, {"bytes": size, **values}, text)


def decrypt(args: argparse.Namespace, out: Output) -> None:
    need(not (args.network and args.unit), "--unit and --network exclude each other", "use one of them")
    online = args.again or args.allow_jump or args.mode
    need(not (args.network and online), "--again, --allow-jump and --mode need a unit", "omit them with --network")
    args.mode = args.mode or _MODE
    need(
        not (args.again and args.allow_jump),
        "--again and --allow-jump exclude each other",
        "use --allow-jump for a capsule that was not accepted before",
    )
    check_source(args.file, "name a capsule")
    target = _target(args, _without_suffix)
    _check_streams(target, out)
    with (
        open_source(args.file) as source,
        out.progress(_size(args.file), args.file.name, visible=target is not None) as bar,
    ):
        open_it = _decrypt_offline if args.network else _decrypt_with_unit
        opened, sender, suite = open_it(args, source, target or StdoutSink(), bar.update)
    values = {"bytes": opened.size, "lane": opened.lane, "number": opened.number, "cipher": opened.cipher}
    text = f"{opened.size} bytes, message {opened.number} of {sender}, cipher {opened.cipher}"
    _tell(out, target, {**values, "suite": suite, **warn_of_suite(suite)}, text)


def _decrypt_with_unit(
    args: argparse.Namespace, source: Source, target: Path | Sink, progress: capsules.Progress
) -> tuple[capsules.Unsealed, str, str]:
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.member_status().suite
        opened = unit.decrypt(
            source,
            target,
            mode=args.mode,
            again=args.again,
            allow_jump=args.allow_jump,
            overwrite=args.force,
            progress=progress,
        )
    return opened, f"lane {opened.lane}", suite


def _decrypt_offline(
    args: argparse.Namespace, source: Source, target: Path | Sink, progress: capsules.Progress
) -> tuple[capsules.Unsealed, str, str]:
    network = Network.load(args.network)
    with storing(target, overwrite=args.force) as sink:
        opened = capsules.unseal_offline(network, source, sink, progress)
    note("opened offline: a repeated capsule is not detected, and no unit learns that this one was opened")
    member = network.member(opened.lane)
    label = f" ({member.label or member.uid})" if member else ""
    return opened, f"lane {opened.lane}{label}", network.suite


def _target(args: argparse.Namespace, derive: Callable[[Path], Path]) -> Path | None:
    """Return the output path, or None for stdout; refuse an existing file."""
    if args.output is None and str(args.file) != _STDIN:
        args.output = derive(args.file)
    path = output_path(args)
    if path:
        refuse_existing(path, args.force)
    return path


def check_source(path: Path, advice: str) -> None:
    refuse_directory(path, advice)
    if str(path) != _STDIN and not path.exists():
        raise FileError(f"there is no {path}", "check the name")


def _with_suffix(path: Path) -> Path:
    return path.with_name(path.name + capsules.SUFFIX)


def _without_suffix(path: Path) -> Path:
    need(path.suffix == capsules.SUFFIX, f"{path} does not end with {capsules.SUFFIX}", "name the output with -o FILE")
    return path.with_suffix("")


def _check_streams(target: Path | None, out: Output) -> None:
    if target is None:
        need_stdout()
    need(target is not None or not out.as_json, "stdout cannot carry both the file and JSON", "add -o FILE")


@contextlib.contextmanager
def open_source(path: Path) -> Generator[Source]:
    if str(path) == _STDIN:
        yield StdinSource()
        return
    with reading(path) as file:
        yield file


def _size(path: Path) -> int | None:
    """Return the size of a regular file, else None."""
    return path.stat().st_size if path.is_file() else None


def _tell(out: Output, target: Path | None, values: dict[str, Any], text: str) -> None:
    if target is None:
        note(text)
    else:
        out.done({"file": str(target), **values}, f"{target}: {text}")
