# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands agent, send and receive."""

import argparse
import base64
import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ndks.exceptions import UsageError
from ndks.files import read_some
from ndks.network import administrator_file
from ndks.symbols.streams import CodedSource
from ndks.system_errors import file_errors

from . import received
from .agent_client import client
from .arguments import add_path, add_unit, bounded, need, seconds
from .live_lines import LiveInput, add_live, check_live
from .log import show_news
from .message_files import open_source
from .network_status import check_lines
from .output import Output, encoded, is_stdout_open, note, write_stdout
from .parser import Parser, set_up
from .signals import end_by

_LARGEST = 1 << 16  # bytes of a message, as agents take it
_WAITS_FOR = {
    "unit": "the unit is there",
    "generation": "the unit has its first generation",
    "carrier": "a carrier is there",
    "turn": "the messages before it have left",
}
_SENT = ("s", "waits", "waits_for", "generation", "newest", "left_out")
_ROOM = 256  # megabytes
_AGENT_EXAMPLES = f"""\
  ndks agent --carrier mqtts://broker.example/ndks/office?ca=ca.pem
  ndks agent --carrier udp://239.192.7.7:7000 --carrier dir:/media/stick
  ndks agent --network office{administrator_file.SUFFIX} --carrier dir:shared    at the administrator's own unit"""
_SEND_EXAMPLES = """\
  ndks send --text "see you at noon"
  ndks send letter.pdf
  date | ndks send
  ndks send --symbols --text "0110..1"      0, 1 and nothing
  sensor | ndks send --symbols --live       a pause is nothing; a message for each stretch"""
_RECEIVE_EXAMPLES = """\
  ndks receive                     what has arrived
  ndks receive --follow --json     for ever, one JSON object a line
  ndks receive --follow -o inbox   each message into a file of its own
  ndks receive --unordered         also what came before earlier messages, marked early"""


def _megabytes(text: str) -> int:
    return bounded(text, 1, 1 << 20, "must be 1 to 1048576 megabytes")


def add_agent(parser: Parser) -> None:
    set_up(parser, _AGENT_EXAMPLES, run_agent)
    parser.add_argument(
        "--carrier",
        metavar="URL",
        action="append",
        required=True,
        help="mqtt://, mqtts://, udp:// or dir:FOLDER; repeatable",
    )
    add_path(
        parser, "--network", completes="NETWORK", metavar="FILE", help="the administrator's file, at its own unit only"
    )
    parser.add_argument("--tick", metavar="SECONDS", type=seconds, help="for tests; default: as all members, 1")
    parser.add_argument(
        "--room",
        metavar="MB",
        type=_megabytes,
        default=_ROOM,
        help=f"for messages that no program has received; then others stay at their senders (default: {_ROOM})",
    )
    add_unit(parser, "$NDKS_UNIT, or the only one; the socket `agent` of ndks service where that runs")


def run_agent(args: argparse.Namespace, out: Output) -> None:
    from ndks.agent.running.office import Office  # here, because the other commands do not need them
    from ndks.agent.running.program import Program

    office = Office(args.network) if args.network else None
    program = Program(args.unit, args.timeout, args.carrier, args.tick, office, args.room << 20)

    def started(serial_number: str, socket: Path) -> None:
        end_by(program.end)
        note(f"the agent of unit {serial_number} runs; Ctrl-C ends it")
        if is_stdout_open():
            out.result({"serial_number": serial_number, "socket": str(socket), "pid": os.getpid()}, str(socket))

    show_news()
    program.run(started)


def add_send(parser: Parser) -> None:
    set_up(parser, _SEND_EXAMPLES, send)
    add_path(parser, "file", metavar="FILE", nargs="?", help="default: stdin")
    parser.add_argument("--text", help="the message itself, in place of a file")
    text = "the message is a text of 0, 1 and . for nothing, where .{N} is N nothings"
    parser.add_argument("--symbols", action="store_true", help=text)
    add_live(parser, "with --symbols: send what arrives at stdin, at once")
    add_unit(parser, "the only one with an agent")


def send(args: argparse.Namespace, out: Output) -> None:
    need(args.text is None or args.file is None, "a message is a text or a file, not both")
    check_live(args)
    need(args.symbols or not args.live, "--live needs --symbols", "add it, or pipe in a whole message")
    is_whole = args.text is not None or args.file is not None
    need(not (args.live and is_whole), "a live line comes from stdin", "omit the file and --text, or --live")
    args.file = args.file or Path("-")
    messages = _live_messages(args) if args.live else [_content(args)]
    with client(args) as agent:
        for data in messages:
            _send(agent, data, args, out)


def _send(agent: Any, data: bytes, args: argparse.Namespace, out: Output) -> None:
    from ndks.agent.packets import BYTES, SYMBOLS

    content = SYMBOLS if args.symbols else BYTES
    answer = agent.ask("send", data=base64.b64encode(data).decode(), content=content)
    out.done({name: answer[name] for name in _SENT}, _on_its_way(answer))


def _on_its_way(answer: dict[str, Any]) -> str:
    s, generation, newest, left_out = (answer[name] for name in ("s", "generation", "newest", "left_out"))
    if left_out is not None:
        return (
            f"message {s} is kept, but generation {left_out} was made without this unit, which was revoked or retired, "
            f"or its administrators are apart: members of that generation take nothing from it. Ask an administrator"
        )
    if answer["waits"]:
        return f"message {s} is on its way when {_WAITS_FOR[answer['waits_for']]}"
    if newest is None or newest <= generation:
        return f"message {s} is on its way"
    return (
        f"message {s} is on its way, sealed in generation {generation}: units that joined later have lost it. "
        f"Generation {newest} is made, and this unit enters it soon; then send the message again if they need it"
    )


def _live_messages(args: argparse.Namespace) -> Iterator[bytes]:
    for symbols in LiveInput(args).messages():
        yield symbols.coded


def _content(args: argparse.Namespace) -> bytes:
    """Return the message. FileError, OddSymbol, SymbolsTooLong; UsageError: it is too long."""
    text = None if args.text is None else io.BytesIO(args.text.encode())
    with file_errors(), contextlib.nullcontext(text) if text else open_source(args) as plain:
        source = CodedSource(plain, mark=b"") if args.symbols else plain
        parts: list[bytes] = []
        while (part := read_some(source, _LARGEST)) != b"":
            parts.append(part or b"")
            _refuse_long(sum(map(len, parts)))
        return b"".join(parts)


def _refuse_long(size: int) -> None:
    need(
        size <= _LARGEST,
        f"a message has at most {_LARGEST} bytes",
        "send it in parts; or make a capsule of it, which travels as any file: ndks encrypt",
    )


def add_receive(parser: Parser) -> None:
    set_up(parser, _RECEIVE_EXAMPLES, receive)
    parser.add_argument("--follow", action="store_true", help="wait for more, until stopped")
    parser.add_argument("--unordered", action="store_true", help="do not wait for earlier messages that are missing")
    add_path(
        parser,
        "-o",
        "--output",
        metavar="DIRECTORY",
        completes="DIRECTORY",
        help="write each message to LANE-NUMBER in it",
    )
    add_unit(parser, "the only one with an agent")


def receive(args: argparse.Namespace, out: Output) -> None:
    directory: Path | None = args.output
    if directory and not directory.is_dir():
        raise UsageError(f"{directory} is not a directory", "make it first")
    with client(args) as agent:
        _note_checks(agent)
        for event in agent.events(follow=args.follow, unordered=args.unordered):
            if directory and event["kind"] != "lost":
                received.write(directory, event)
            write_stdout(encoded(f"{received.line(event, directory, as_json=out.as_json)}\n"))


def _note_checks(agent: Any) -> None:
    """Say on stderr what is due to be checked by another channel, and what failed."""
    for line in check_lines(agent.ask("checks")):
        note(line)
