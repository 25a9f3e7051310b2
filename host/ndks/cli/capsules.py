# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands encrypt and decrypt."""

import argparse
import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import capsules, offline_capsules
from ndks.exceptions import FileError
from ndks.files import Sink, storing
from ndks.network import any_file
from ndks_protocol import commands

from . import folders, formats
from .arguments import add_output, add_path, add_unit, need
from .folders import FileOnly, FolderFound, Replayed, goes_on
from .forecast import Forecast
from .message_files import add_source, check_source, choose_target, is_stdin, open_source, size_of_source
from .output import Output, StdoutSink, need_stdout, note, warn_of_suite
from .parser import Parser, set_up

_MODE = "b"  # of encrypt
_AES = "--cipher aes (256 key bits for all of it)"
_MODE_A = "--mode a (this computer encrypts)"
_FASTER = {
    ("vernam", "b"): f"{_AES}, more so with {_MODE_A}",
    ("vernam", "a"): _AES,
    ("aes", "b"): _MODE_A,
}


def add_encrypt(parser: Parser) -> None:
    set_up(parser, _ENCRYPT_EXAMPLES, encrypt)
    add_source(parser, "FILE", "the file or folder to encrypt")
    parser.add_argument("--cipher", choices=commands.CIPHERS, help="default: that of the network")
    _add_mode(parser, "encrypts", "b")
    add_output(parser, "write the capsule to FILE (default: the name with .ndks; for stdin, stdout); - is stdout")
    add_unit(parser)


def add_decrypt(parser: Parser) -> None:
    set_up(parser, _DECRYPT_EXAMPLES, decrypt)
    add_source(parser, "FILE", "the capsule")
    parser.add_argument("--again", action="store_true", help="open a capsule that was accepted before")
    parser.add_argument("--allow-jump", action="store_true", help="open a capsule whose number is more than 2^20 ahead")
    _add_mode(parser, "decrypts", "the faster one: a for cipher aes and more than 4 KB, else b")
    add_network(parser, "decrypt with this network file, or the administrator's file, without a unit")
    text = "write to FILE, with mode 0600 (default: the name without .ndks; for stdin, stdout); - is stdout"
    add_output(parser, text)
    add_unit(parser)


_ENCRYPT_EXAMPLES = """\
  ndks encrypt letter.txt                     the capsule is letter.txt.ndks
  ndks encrypt film.mp4 --cipher aes          for long files: a key of 256 bits, not of the file's size
  ndks encrypt letter.txt --mode a            the unit gives the key, this computer encrypts
  ndks encrypt photos                         a folder, with all in it: photos.ndks"""
_DECRYPT_EXAMPLES = """\
  ndks decrypt letter.txt.ndks                to letter.txt; the capsule opens once
  ndks decrypt letter.txt.ndks --again -o -   again, to stdout
  ndks decrypt photos.ndks                    to a new folder, photos, when all of it is verified
  ndks decrypt letter.txt.ndks --network office.ndksnet    without a unit"""


def _add_mode(parser: argparse.ArgumentParser, verb: str, default: str) -> None:
    text = f"b: the unit {verb}; a: this computer {verb} with keys from the unit (default: {default})"
    parser.add_argument("--mode", choices=capsules.MODES, help=text)


def add_network(parser: argparse.ArgumentParser, text: str) -> None:
    add_path(parser, "--network", completes="NETWORK", metavar="FILE", help=text)


def encrypt(args: argparse.Namespace, out: Output) -> None:
    check_source(args)
    target = choose_target(args, with_suffix)
    check_streams(target, out)
    if target is None:
        formats.refuse_terminal("add -o FILE, or pipe it on")
    if not is_stdin(args) and args.file.is_dir():
        folders.encrypt(args, out, target, _keep_check)
        return
    with open_source(args) as opened, ndks.open(args.unit, args.timeout) as unit:
        status = unit.unlock()
        source = folders.no_folder(args, opened)
        cipher, mode = args.cipher or status.cipher, args.mode or _MODE
        values = {"cipher": cipher, "mode": mode, "suite": status.suite, **warn_of_suite(status.suite)}
        total = size_of_source(args)
        with out.progress(total, args.file.name, visible=target is not None) as bar:
            update = _with_forecast(bar, total, cipher, mode)
            size = unit.encrypt(
                source,
                target or StdoutSink(),
                cipher=cipher,
                mode=mode,
                overwrite=args.force,
                progress=update,
                told_check=_keep_check,
            )
    text = f"{size} bytes, cipher {cipher}, mode {mode}, suite {status.suite}"
    tell(out, target, {"bytes": size, **values}, text)


def _keep_check(header: bytes, value: bytes) -> None:
    """Keep the key check value for `ndks check`: the unit opens no capsule that it has made."""
    from ndks.laptop.laptop_checks import keep_check  # here, because SQLite is slow to import

    try:
        keep_check(header, value)
    except FileError as error:
        note(f"ndks check will not know this capsule: {error}")


def _with_forecast(bar: Any, total: int | None, cipher: str, mode: str) -> capsules.Progress:
    """Return what updates the bar, and prints once how long a large file will take, and what is faster."""
    forecast = Forecast(total)

    def update(size: int) -> None:
        bar.update(size)
        if text := forecast.update(size):
            bar.clear()
            faster = _FASTER.get((cipher, mode))
            what = f"by its first second, this will take {text} with cipher {cipher}, mode {mode}"
            note(f"{what}; faster: {faster}" if faster else what)

    return update


def decrypt(args: argparse.Namespace, out: Output) -> None:
    need(not (args.network and args.unit), "--unit and --network exclude each other", "use one of them")
    online = args.again or args.allow_jump or args.mode
    need(not (args.network and online), "--again, --allow-jump and --mode need a unit", "omit them with --network")
    need(
        not (args.again and args.allow_jump),
        "--again and --allow-jump exclude each other",
        "use --allow-jump for a capsule that was not accepted before",
    )
    check_source(args, "name a capsule")
    target = _choose_target(args)
    check_streams(target, out)
    if args.output is None:  # input from stdin has no name to derive one from
        formats.refuse_terminal("add -o FILE, or -o - to see it here")
    size = size_of_source(args)
    with open_source(args) as source:
        if goes_on(target):
            folders.decrypt(args, out, source, size, target)
            return
        kept = Replayed(source)
        with contextlib.suppress(FolderFound):
            _decrypt_file(args, out, kept, size, target)
            return
        kept.again()
        folders.decrypt(args, out, kept, size, target)


def _choose_target(args: argparse.Namespace) -> Path | None:
    """Return the output path, or None for stdout: also that of a folder that stands and was not accepted yet."""
    target = args.output or (None if is_stdin(args) else without_suffix(args.file))
    if target and str(target) != "-" and target.is_dir():
        if goes_on(target):
            return target
        if not args.output:
            raise FileError(f"{target} exists, and is a folder", "name another, -o OTHER, or move it away")
    return choose_target(args, without_suffix)


def _decrypt_file(
    args: argparse.Namespace, out: Output, source: Replayed, size: int | None, target: Path | None
) -> None:
    """Decrypt a capsule. FolderFound, before anything is written, if it is a volume of a folder."""
    open_it = _decrypt_offline if args.network else _decrypt_with_unit
    show_progress = functools.partial(out.progress, size, args.file.name, visible=target is not None)
    opened, sender, suite = open_it(args, source, target or StdoutSink(), show_progress)
    values = {"bytes": opened.size, "lane": opened.lane, "number": opened.number, "cipher": opened.cipher}
    text = f"{opened.size} bytes, message {opened.number} of {sender}, cipher {opened.cipher}"
    tell(out, target, {**values, "suite": suite, **warn_of_suite(suite)}, text)


def _decrypt_with_unit(
    args: argparse.Namespace, source: Replayed, target: Path | Sink, show_progress: Callable[[], Any]
) -> tuple[capsules.Unsealed, str, str]:
    with ndks.open(args.unit, args.timeout) as unit:
        suite = unit.unlock().suite
        mode = args.mode or capsules.FASTER
        taking = unit.taking_message(source, mode=mode, again=args.again, allow_jump=args.allow_jump)
        with show_progress() as bar, taking as message, storing(target, overwrite=args.force) as sink:
            opened = message.unseal_into(FileOnly(sink, source), bar.update)
    return opened, f"lane {opened.lane}", suite


def _decrypt_offline(
    args: argparse.Namespace, source: Replayed, target: Path | Sink, show_progress: Callable[[], Any]
) -> tuple[capsules.Unsealed, str, str]:
    known = any_file.load(args.network)
    with storing(target, overwrite=args.force) as sink, show_progress() as bar:
        opened = offline_capsules.unseal_offline(known, source, FileOnly(sink, source), bar.update)
    note(folders.OFFLINE)
    unit = any_file.unit_on(known, opened.lane)
    label = f" ({unit[0] or unit[1]})" if unit else ""
    return opened, f"lane {opened.lane}{label}", any_file.network_of(known).suite


def with_suffix(path: Path) -> Path:
    named = path if path.name not in ("", "..") else path.resolve()  # of a folder: . and ..
    need(bool(named.name), f"{path} has no name to derive one from", "name the output with -o FILE")
    return named.with_name(named.name + capsules.SUFFIX)


def without_suffix(path: Path) -> Path:
    need(path.suffix == capsules.SUFFIX, f"{path} does not end with {capsules.SUFFIX}", "name the output with -o FILE")
    return path.with_suffix("")


def check_streams(target: Path | None, out: Output) -> None:
    """Raise FileError for a closed stdout, UsageError if a file and JSON were both to go there."""
    if target is None:
        need_stdout()
    need(target is not None or not out.as_json, "stdout cannot carry both the file and JSON", "add -o FILE")


def tell(out: Output, target: Path | None, values: dict[str, Any], text: str) -> None:
    """Print the result: on stderr if the file itself went to stdout."""
    if target is None:
        note(text)
    else:
        out.done({"file": str(target), **values}, f"{target}: {text}")
