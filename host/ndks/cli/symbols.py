# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands symbols seal and symbols open: files. Live lines are in `live_symbols`."""

import argparse
import shutil
import tempfile
from pathlib import Path

import ndks
from ndks.driver.blocks import LookAhead
from ndks.driver.capsules import Unsealed
from ndks.driver.messages import ReceivedMessage
from ndks.files import storing
from ndks.symbols.streams import CodedSource, Tally, TextSink
from ndks_protocol import commands

from . import formats, live_symbols
from .arguments import add_output, add_unit, need
from .capsules import check_streams, tell, with_suffix, without_suffix
from .live_lines import add_live, check_live
from .message_files import add_source, check_source, choose_target, open_source
from .output import Output, StdoutSink, warn_of_suite
from .parser import Parser, add_command, add_group, show_examples

_CHECKED = 1 << 16  # bytes of symbols that are read before the unit gives a number for them
_IN_MEMORY = 1 << 20  # bytes of symbols; more are in a temporary file

_SEAL_EXAMPLES = """\
  ndks symbols seal signal.txt                     a text of 0, 1 and . for nothing, to signal.txt.ndks
  echo "0110.{9000}1" | ndks symbols seal -o pulse.ndks    .{9000} is nothing, 9000 times
  sensor | ndks symbols seal --live --tick 1s      a pause of a second is nothing; a capsule for each stretch"""
_OPEN_EXAMPLES = """\
  ndks symbols open signal.txt.ndks                to signal.txt; the capsule opens once
  ndks symbols open pulse.ndks -o -                to stdout
  nc -l 7000 | ndks symbols open --live            a line of symbols for each capsule"""


def add_symbols(parser: Parser) -> None:
    show_examples(parser, _SEAL_EXAMPLES, _OPEN_EXAMPLES)
    actions = add_group(parser)
    sealing = add_command(actions, "seal", "seal symbols in a capsule, or a live line in many", _SEAL_EXAMPLES, seal)
    add_source(
        sealing, "FILE", "a text of 0, 1 and . for nothing, where .{N} is N nothings and line breaks do not count"
    )
    sealing.add_argument("--cipher", choices=commands.CIPHERS, help="default: that of the network")
    add_live(sealing, "seal what arrives at stdin, at once; print each capsule as a line of Base64")
    add_output(sealing, "write the capsule to FILE (default: the name with .ndks; for stdin, stdout); - is stdout")
    add_unit(sealing)

    opening = add_command(actions, "open", "open a capsule with symbols, or a live line", _OPEN_EXAMPLES, open_symbols)
    add_source(opening, "FILE", "the capsule")
    opening.add_argument("--again", action="store_true", help="open a capsule that was accepted before")
    opening.add_argument(
        "--allow-jump", action="store_true", help="open a capsule whose number is more than 2^20 ahead"
    )
    opening.add_argument("--expand", action="store_true", help="write each nothing as a dot (default: above 64, .{N})")
    opening.add_argument(
        "--live", action="store_true", help="open the lines of seal --live as they come; print symbols"
    )
    text = "write to FILE, with mode 0600 (default: the name without .ndks; for stdin, stdout); - is stdout"
    add_output(opening, text)
    add_unit(opening)


def seal(args: argparse.Namespace, out: Output) -> None:
    check_live(args)
    if args.live:
        live_symbols.seal(args, out)
        return
    check_source(args, "name a text of symbols")
    target = choose_target(args, with_suffix)
    check_streams(target, out)
    if target is None:
        formats.refuse_terminal("add -o FILE, or pipe it on")
    with open_source(args) as text:
        coded = CodedSource(text)
        source = LookAhead(coded)
        source.is_longer_than(_CHECKED)  # what is odd near the start takes no number of the unit
        with ndks.open(args.unit, args.timeout) as unit:
            status = unit.unlock()
            cipher = args.cipher or status.cipher
            size = unit.encrypt(source, target or StdoutSink(), cipher=cipher, overwrite=args.force)
    values = {**live_symbols.counts(coded.tally), "bytes": size, "cipher": cipher, "suite": status.suite}
    text_of = f"{_in_words(coded.tally)}, cipher {cipher}, suite {status.suite}"
    tell(out, target, {**values, **warn_of_suite(status.suite)}, text_of)


def open_symbols(args: argparse.Namespace, out: Output) -> int | None:
    need(not (args.again and args.allow_jump), "--again and --allow-jump exclude each other", "use one of them")
    if args.live:
        return live_symbols.open_all(args, out)
    check_source(args, "name a capsule")
    target = choose_target(args, without_suffix)
    check_streams(target, out)
    with open_source(args) as source, ndks.open(args.unit, args.timeout) as unit:
        suite = unit.unlock().suite
        with unit.taking_message(source, again=args.again, allow_jump=args.allow_jump) as message:
            opened, tally = _store(message, target, args)
    values = {**live_symbols.counts(tally), "bytes": opened.size, "lane": opened.lane, "number": opened.number}
    text = f"{_in_words(tally)}, message {opened.number} of lane {opened.lane}, cipher {opened.cipher}"
    tell(out, target, {**values, "cipher": opened.cipher, "suite": suite, **warn_of_suite(suite)}, text)
    return None


def _store(message: ReceivedMessage, target: Path | None, args: argparse.Namespace) -> tuple[Unsealed, Tally]:
    """Write the text of a message, once all of it is verified: before, what is no symbol would hide why."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as coded:
        opened = message.unseal_into(coded)
        coded.seek(0)
        with storing(target or StdoutSink(), overwrite=args.force) as text:
            sink = TextSink(text, expand=args.expand)
            shutil.copyfileobj(coded, sink)
            sink.finish()
    return opened, sink.tally


def _in_words(tally: Tally) -> str:
    return f"{tally.bits} bits, {tally.nothings} nothings"
