# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command check: two people compare the key of a message by another channel, such as the telephone."""

import argparse
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ndks
from ndks.driver import capsules, offline_capsules
from ndks.exceptions import DeviceError, NoUnit, UsageError, WordsDiffer, device_error
from ndks.files import reading
from ndks.laptop.check_book import Confirmation
from ndks.laptop.laptop_checks import laptop_tables, name_of
from ndks.network import any_file
from ndks.word_list import SPOKEN, check_spoken_words, spoken_words
from ndks_protocol import errors

from . import stdin
from .agent_client import client
from .arguments import add_path, add_unit, need, whole
from .capsules import add_network
from .network_status import check_lines
from .output import Output, note
from .parser import Parser, set_up
from .typed_words import typed_words

_EXAMPLES = """\
  ndks check letter.txt.ndks                           six words, to be said by telephone
  ndks check letter.txt.ndks --confirm "Bob Smith"     type in the words that Bob says
  ndks check --message 3:17                            of the agent's message 17 of lane 3
  ndks check --message 3:17 --confirm "Bob Smith" --by telephone
  ndks check --schedule 100                            the agent asks for a check every 100 messages of a sender
  ndks check                                           what is due, what failed, who confirmed what
  ndks check --message 3:17 --resolve "Bob had read out another message"
"""
_SAYER = "who confirms it"
_FAILED = (
    "the failure is noted. Let them be said once more, slowly, and repeat; if they still differ, do not trust the "
    "message, find out why: ndks confine record, and note what it was: ndks check {} --resolve TEXT"
)
_REFUSED = {
    errors.DIVERGED: "the message is intact, and two units made different keys: find out which, ndks confine record",
}


@dataclass(frozen=True)
class _Checked:
    """A message and its check value; `values` name it in answers, `text` for people, `option` on a command line."""

    values: dict[str, Any]
    text: str
    option: str
    value: bytes


def add_check(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, check)
    add_path(parser, "file", metavar="CAPSULE", nargs="?", help="a capsule in a file")
    parser.add_argument("--message", metavar="LANE:S", type=_message, help="message S of a lane, at the agent")
    parser.add_argument("--confirm", metavar="NAME", help=f"{_SAYER}: type in the six words that this person says")
    parser.add_argument("--words", metavar="WORDS", help="these six words, in quotes, instead of asking for them")
    parser.add_argument("--by", metavar="CHANNEL", help="the channel by which they were said (default: telephone)")
    parser.add_argument("--resolve", metavar="TEXT", help="note what a failure was: it is not shown any more")
    parser.add_argument(
        "--schedule", metavar="N", type=whole, help="the agent asks for a check every N messages of a sender; 0: never"
    )
    add_network(parser, "compute the words with this network file or administrator's file, without a unit")
    add_unit(parser, "$NDKS_UNIT, or the only one; with --message or --schedule: the only one with an agent")


def check(args: argparse.Namespace, out: Output) -> None:
    _check_arguments(args)
    if args.schedule is not None:
        _schedule(args, out)
    elif args.resolve is not None:
        _resolve(args, out)
    elif args.file or args.message:
        _confirm(args, out) if args.confirm else _show(args, out)
    else:
        _list(args, out)


def _check_arguments(args: argparse.Namespace) -> None:
    names = [args.file is not None, args.message is not None, args.schedule is not None]
    need(sum(names) <= 1, "name one of a capsule, --message and --schedule", "the others are commands of their own")
    has_message = bool(args.file or args.message)
    for name in ("confirm", "resolve"):
        text = getattr(args, name)
        need(text is None or has_message, f"--{name} needs a message", "name a capsule, or --message LANE:S")
        need(text is None or (text.strip() and text.isprintable()), f"--{name} needs a text on one line")
    need(not (args.confirm and args.resolve), "--confirm and --resolve exclude each other", "use one of them")
    need(args.confirm or not (args.words or args.by), "--words and --by need --confirm", f"name {_SAYER}")
    need(not args.network or args.file, "--network needs a capsule", "omit it, or name a capsule")
    need(not (args.network and args.unit), "--unit and --network exclude each other", "use one of them")
    need(args.schedule is None or args.schedule >= 0, "--schedule needs a number from 0 on", "0: never")


def _show(args: argparse.Namespace, out: Output) -> None:
    checked = _checked(args)
    words = spoken_words(checked.value)
    text = f"{checked.text}\n{words}\nthe person at the other end, whose voice you know, must have the same words"
    out.result({**checked.values, "words": words}, text)


def _confirm(args: argparse.Namespace, out: Output) -> None:
    """Compare the words that somebody says with those of this side, which are not shown, and note the outcome."""
    checked, channel = _checked(args), args.by or "telephone"
    words = args.words or _typed(args.confirm, checked.text)
    try:
        check_spoken_words(checked.value, words, checked.text)
    except WordsDiffer as error:
        _note(args, checked, channel, words, held=False)
        raise WordsDiffer(str(error), _FAILED.format(checked.option)) from None
    when = _note(args, checked, channel, words, held=True)
    values = {**checked.values, "who": args.confirm, "when": when, "channel": channel, "held": True}
    out.done(values, f"{checked.text}: confirmed by {args.confirm}, by {channel}")


def _typed(who: str, what: str) -> str:
    advice = f'ask {who} for them by voice, and repeat with --words "SIX WORDS"'
    need(stdin.is_terminal(), "stdin is not a terminal, so nobody can be asked for the words", advice)
    note(f"ask {who} by voice for the {SPOKEN} words of {what}; type them, and press Enter:")
    return typed_words(SPOKEN)


def _note(args: argparse.Namespace, checked: _Checked, channel: str, words: str, *, held: bool) -> str:
    """Note what was said in the agent's book or the laptop's, and return when."""
    said = " ".join(words.lower().split())
    if args.message:
        lane, s = args.message
        with client(args) as agent:
            values = {"who": args.confirm, "channel": channel, "words": said, "held": held}
            return agent.ask("confirm", lane=lane, s=s, **values)["when"]
    when = datetime.now(UTC).isoformat(timespec="seconds")
    with laptop_tables() as (tables, book), tables.step():
        book.confirm(Confirmation(checked.values["message"], args.confirm, when, channel, said, held))
    return when


def _checked(args: argparse.Namespace) -> _Checked:
    if args.message:
        lane, s = args.message
        with client(args) as agent:
            value = bytes.fromhex(agent.ask("check", lane=lane, s=s)["value"])
        values = {"message": f"{lane}:{s}", "lane": lane, "s": s}
        return _Checked(values, f"message {s} of lane {lane}", f"--message {lane}:{s}", value)
    return _of_file(args)


def _of_file(args: argparse.Namespace) -> _Checked:
    """Check a capsule in a file: by the unit, by a network file, or what this laptop noted when its unit sealed it."""
    path: Path = args.file
    with reading(path) as source:
        name = name_of(capsules.read_header(source))
    try:
        checked = _opened(args, path)
    except DeviceError as error:
        if error.number != errors.REFLECTED:
            raise
        values = {"message": name, "lane": None, "number": None}
        return _Checked(values, f"{path}, sealed here", str(path), _sealed_here(path, name))
    if checked.refusal:
        error = device_error(getattr(errors, checked.refusal))
        error.advice = _REFUSED.get(error.number, error.advice)
        raise error
    values = {"message": name, "lane": checked.lane, "number": checked.number}
    return _Checked(values, f"{path}, message {checked.number} of lane {checked.lane}", str(path), checked.check)


def _opened(args: argparse.Namespace, path: Path) -> capsules.Checked:
    if args.network:
        with reading(path) as source:
            return offline_capsules.check_offline(any_file.load(args.network), source)
    with ndks.open(args.unit, args.timeout) as unit:
        return unit.check_message(path)


def _sealed_here(path: Path, name: str) -> bytes:
    with laptop_tables() as (_, book):
        value = book.value(name)
    if not value:
        what = f"{path} was sealed by this unit, and this laptop has not noted its check value"
        advice = "seal on this laptop with ndks encrypt (--mode a for units before 0.8); it keeps the last 4096"
        raise UsageError(what, f"{advice}; or use --network FILE")
    return value


def _schedule(args: argparse.Namespace, out: Output) -> None:
    with client(args) as agent:
        every = agent.ask("schedule", every=args.schedule)["every"]
    each = "each message" if every == 1 else f"every {every} messages"
    text = f"a check is due after {each} of a sender, from now on" if every else "no check is due any more"
    out.done({"every": every}, text)


def _resolve(args: argparse.Namespace, out: Output) -> None:
    if args.message:
        lane, s = args.message
        with client(args) as agent:
            agent.ask("resolve", lane=lane, s=s, how=args.resolve)
        name = f"{lane}:{s}"
    else:
        with reading(args.file) as source:
            name = name_of(capsules.read_header(source))
        with laptop_tables() as (tables, book), tables.step():
            need(book.resolve(name, args.resolve) > 0, f"{args.file} has no failure that is open", "see ndks check")
    out.done({"message": name, "resolved": args.resolve}, f"message {name}: resolved, {args.resolve}")


def _list(args: argparse.Namespace, out: Output) -> None:
    """Show what the agent knows, where one runs, and what this laptop noted of capsules in files."""
    values: dict[str, Any] = {"every": 0, "due": [], "failures": [], "confirmations": []}
    try:
        with client(args) as agent:
            values = agent.ask("checks")
    except NoUnit:
        if args.unit:
            raise
    with laptop_tables() as (_, book):
        values["failures"] += [asdict(each) for each in book.failures()]
        values["confirmations"] += [asdict(each) for each in book.confirmations()]
    lines = check_lines(values) + [_line(each) for each in values["confirmations"] if each["held"] or each["resolved"]]
    out.result(values, "\n".join(lines) or "nothing was checked, and nothing is due")


def _line(each: dict[str, Any]) -> str:
    text = f"message {each['message']}: {each['who']}, by {each['channel']}, {each['when']}"
    return f"{'confirmed':<13} {text}" if each["held"] else f"{'resolved':<13} {text}: {each['resolved']}"


def _message(text: str) -> tuple[int, int]:
    lane, colon, s = text.partition(":")
    if not (colon and lane.isdecimal() and s.isdecimal() and len(text) < 24 and int(lane) and int(s)):
        raise argparse.ArgumentTypeError("a message is named LANE:S, such as 3:17")
    return int(lane), int(s)
