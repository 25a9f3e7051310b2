# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command faraday: the no-channel stage on two laptops in cages, and the comparison of their records."""

import argparse
import os
import re
import secrets
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import ndks
from ndks.driver.finding import find_port
from ndks.exceptions import NoUnit, SeveralUnits
from ndks.line.discovery import ENVIRONMENT
from ndks.network.network_file import Network
from ndks.whole_file import refuse_existing
from ndks_laboratory import faraday
from ndks_laboratory.faraday import ChannelWatch, FaradayPlan, KeyRow, KeySet, LaptopChannel, Record
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Check, Outcome, worst_of
from ndks_protocol import commands

from .arguments import add_output, add_path, add_unit, bits, bounded, need, output_path, refuse_directory
from .output import Output, note, warn_of_suite
from .parser import Parser, add_command, add_group, show_examples

_LEAST_BITS = 128  # the commitment of a shorter key reveals it to an exhaustive search
_MOST_KEYS = 10_000
_WIDTH = 100  # of text, in characters


def add_faraday(parser: Parser) -> None:
    show_examples(parser, _SALT_EXAMPLES, _CHANNELS_EXAMPLES, _RUN_EXAMPLES, _COMPARE_EXAMPLES)
    kinds = add_group(parser)
    add_command(kinds, "salt", "generate the salt of a run; it is not secret", _SALT_EXAMPLES, salt)

    parser = add_command(kinds, "channels", "list every channel of this machine", _CHANNELS_EXAMPLES, channels)
    add_unit(parser)

    _add_run(add_command(kinds, "run", "take keys with no channel open, and write a record", _RUN_EXAMPLES, run))
    _add_compare(
        add_command(kinds, "compare", "compare the records of two or more laptops", _COMPARE_EXAMPLES, compare)
    )


def _add_run(parser: Parser) -> None:
    parser.add_argument(
        "--salt", metavar="HEX", type=_salt, required=True, help="the expert's salt; see ndks faraday salt"
    )
    parser.add_argument(
        "--keys",
        metavar="N",
        type=_keys,
        default=8,
        help="number of keys; one more authenticates the record (default: 8)",
    )
    parser.add_argument(
        "--bits", metavar="B", type=_bits, default=256, help="bits of each key, at least 128 (default: 256)"
    )
    add_path(parser, "--message", metavar="FILE", help="encrypt FILE to FILE.ndks, and delete FILE")
    parser.add_argument("--cipher", choices=commands.CIPHERS, default=FaradayPlan.cipher, help="default: vernam")
    parser.add_argument(
        "--accept-risk", action="store_true", help="go on with open channels, and note them in the record"
    )
    add_output(parser, "write the record to FILE")
    add_unit(parser)


def _add_compare(parser: Parser) -> None:
    add_path(parser, "records", metavar="RECORD", nargs="+", help="the record of a laptop; name two or more")
    add_path(parser, "--opened", metavar="FILE", action="append", help="a decrypted message")
    add_path(
        parser,
        "--network",
        completes="NETWORK",
        metavar="FILE",
        help="verify the records with it, not with a unit",
    )
    add_unit(parser, "$NDKS_UNIT, or none: the records are not verified")


_SALT_EXAMPLES = "  ndks faraday salt                        type it in at both laptops"
_CHANNELS_EXAMPLES = """\
  ndks faraday channels                    exit status 1 if a channel is open
  ndks faraday channels --json"""
_RUN_EXAMPLES = """\
  ndks faraday run --salt 5f1d3c0e9a7b42688d0f1e2d3c4b5a69 -o alice.json --message letter.txt
  ndks faraday run --salt 5f1d3c0e9a7b42688d0f1e2d3c4b5a69 -o bob.json
  ndks faraday run --salt 5f1d3c0e9a7b42688d0f1e2d3c4b5a69 -o trial.json --accept-risk"""
_COMPARE_EXAMPLES = """\
  ndks faraday compare alice.json bob.json --unit /dev/ttyACM0
  ndks faraday compare alice.json bob.json --network office.ndksnet --opened letter.txt
  ndks faraday compare alice.json bob.json carol.json --network office.ndksnet"""


def salt(args: argparse.Namespace, out: Output) -> None:
    drawn = secrets.token_hex(faraday.SALT_SIZE)
    out.result({"salt": drawn}, drawn)


def channels(args: argparse.Namespace, out: Output) -> int:
    found = faraday.find_channels(unit=_port(args))
    is_open = bool(faraday.open_channels(found))
    rows = [line for channel in found for line in _channel_lines(channel)]
    text = "\n".join([*rows, "a channel is open" if is_open else "no channel is open"])
    out.result({"open": is_open, "channels": [asdict(channel) for channel in found]}, text)
    return int(is_open)


def run(args: argparse.Namespace, out: Output) -> None:
    target = output_path(args)
    need(target is not None, "a record needs -o FILE")
    assert target
    refuse_existing(target, args.force)
    if args.message:
        refuse_directory(args.message, "name a file")
    port = find_port(args.unit)
    look = partial(faraday.find_channels, unit=port)
    before = look()
    faraday.refuse_open(before, accept_risk=args.accept_risk)  # first, because the port itself may be a channel
    if found := faraday.open_channels(before):
        note(f"WARNING: you accept the risk of {faraday.described(found)}: the record will prove nothing")
    keys, watch = KeySet(args.salt, args.keys, args.bits), ChannelWatch(look, args.accept_risk)
    plan = FaradayPlan(keys, target, args.message, cipher=args.cipher, overwrite=args.force, watch=watch)
    with ndks.open(port, args.timeout) as unit, out.progress(_size(args), "keys") as bar:
        warning = warn_of_suite(unit.unlock().suite)
        if warning:
            note(f"WARNING: {target} reveals such keys to an exhaustive search: keep it as secret as the keys")
        record = faraday.take_record(unit, plan, before, bar.update)
    values = asdict(record)
    values["serial_number"] = values.pop("unit")
    out.done({"file": str(target), **values, **warning}, _record_text(target, record))


def compare(args: argparse.Namespace, out: Output) -> int:
    need(not (args.network and args.unit), "--unit and --network exclude each other", "use one of them")
    need(len(args.records) > 1, "one record cannot be compared", "name two or more")
    records = [Record.load(path) for path in args.records]
    has_message = any(record.message for record in records)
    need(has_message or not args.opened, "no message was encrypted in these runs", "omit --opened")
    checks = _checks(args, records)
    outcome = Outcome(worst_of(checks))
    rows = faraday.key_rows(records)
    values = {
        "held": outcome.in_json,
        "serial_numbers": [record.unit for record in records],
        "keys": [asdict(row) | {"same": row.same} for row in rows],
        "checks": [check.row() for check in checks],
        **warn_of_suite(max(record.suite for record in records)),
    }
    screen = [
        *_keys_screen(args.records, records, rows),
        "",
        *(check.line() for check in checks),
        "",
        f"result: {_result(outcome.word, len(records))}",
    ]
    out.result(values, "\n".join(screen))
    return 0 if outcome.word == HELD else 1


def _keys_screen(paths: Sequence[Path], records: Sequence[Record], rows: Sequence[KeyRow]) -> list[str]:
    screen = [
        _row("", [path.name for path in paths]),
        _row("unit", [record.unit for record in records]),
        _row("started", [record.started for record in records]),
        _row("ended", [record.ended for record in records]),
        "",
        _row("key, bits", len(records) * ["commitment"]),
    ]
    for row in rows:
        shown = [commitment[:16] or "(missing)" for commitment in row.commitments]
        screen.append(_row(f"{row.index}, {max(row.bits)}", shown, "same" if row.same else "DIFFERENT"))
    for record in records:
        if record.message:
            screen += ["", f"unit {record.unit}", *_message_lines(record)]
    return screen


def _result(word: str, count: int) -> str:
    every, any_of = faraday.all_of(count).capitalize(), "either" if count == 2 else "any"
    return {
        HELD: f"HELD. {every} units gave the same keys, and no channel was open at {any_of} laptop.",
        FAILED: "FAILED. Not everything held.",
        NOT_SHOWN: "NOT SHOWN. Nothing failed, but not everything was shown.",
    }[word]


def _checks(args: argparse.Namespace, records: Sequence[Record]) -> list[Check]:
    opened: list[Path] = args.opened or []
    if args.network:
        return faraday.compare_records(records, faraday.keys_of_network(Network.load(args.network)), opened)
    unit_name = args.unit or os.environ.get(ENVIRONMENT)
    if not unit_name:
        return faraday.compare_records(records, None, opened)
    with ndks.open(unit_name, args.timeout) as unit:
        return faraday.compare_records(records, faraday.keys_of_unit(unit), opened)


def _port(args: argparse.Namespace) -> str:
    """Return the port of the unit, or "" if there is none: the list of channels needs no unit."""
    try:
        return find_port(args.unit)
    except (NoUnit, SeveralUnits):
        if args.unit:
            raise
        return ""


def _channel_lines(channel: LaptopChannel) -> list[str]:
    word = {True: "OPEN", False: "closed", None: "UNKNOWN"}[channel.is_open]
    line = f"{word:9}{channel.kind:13}{channel.name}: {channel.state}"
    return [line, f"{'':9}{'':13}to close it: {channel.advice}"] if channel.advice else [line]


def _record_text(target: Path, record: Record) -> str:
    last = record.keys[-1].index
    keys = f"keys {record.keys[0].index} to {last} of unit {record.unit}"
    rows = [f"{target}: {keys}, authenticated under key {record.authentication.index}", *_message_lines(record)]
    return "\n".join(rows)


def _message_lines(record: Record) -> list[str]:
    message = record.message
    if not message:
        return []
    deletion = f"It is deleted: {message.deletion}" if message.deleted else "It was not deleted."
    text = f"message of {message.size} bytes, cipher {message.cipher}. {deletion}"
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{'':4}", subsequent_indent=f"{'':4}")


def _size(args: argparse.Namespace) -> int:
    return args.keys * ((args.bits + 7) // 8)


def _salt(text: str) -> bytes:
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * faraday.SALT_SIZE}}}", text):
        raise argparse.ArgumentTypeError(f"a salt has {2 * faraday.SALT_SIZE} hexadecimal digits")
    return bytes.fromhex(text)


def _keys(text: str) -> int:
    return bounded(text, 1, _MOST_KEYS, f"the number of keys must be 1 to {_MOST_KEYS}")


def _bits(text: str) -> int:
    value = bits(text)
    if value < _LEAST_BITS:
        raise argparse.ArgumentTypeError(f"the commitment of a key shorter than {_LEAST_BITS} bits reveals the key")
    return value


def _row(name: str, values: Sequence[str], remark: str = "") -> str:
    return f"{name:14}{'  '.join(f'{value:25}' for value in values)}  {remark}".rstrip()
