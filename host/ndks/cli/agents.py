# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands agent, send and receive."""

import argparse
import base64
import json
import os
from pathlib import Path
from typing import Any

from ndks.exceptions import UsageError
from ndks.files import read_some, reading, write_new
from ndks.network import administrator_file
from ndks.printable import printable
from ndks.system_errors import file_errors

from .agent_client import client
from .arguments import add_path, add_unit, need, seconds
from .log import show_news
from .network_status import check_lines, lost
from .output import Output, encoded, is_stdout_open, note, write_stdout
from .parser import Parser, set_up
from .signals import end_by

_LARGEST = 1 << 20  # bytes that are read of a message: one more than any may have
_AGENT_EXAMPLES = f"""\
  ndks agent --carrier mqtts://broker.example/ndks/office?ca=ca.pem
  ndks agent --carrier udp://239.192.7.7:7000 --carrier dir:/media/stick
  ndks agent --network office{administrator_file.SUFFIX} --carrier dir:shared    at the administrator's own unit"""
_SEND_EXAMPLES = """\
  ndks send --text "see you at noon"
  ndks send letter.pdf
  date | ndks send"""
_RECEIVE_EXAMPLES = """\
  ndks receive                     what has arrived
  ndks receive --follow --json     for ever, one JSON object a line
  ndks receive --follow -o inbox   each message into a file of its own
  ndks receive --unordered         also what came before earlier messages, marked early"""


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
    add_unit(parser, "$NDKS_UNIT, or the only one; the socket `agent` of ndks service where that runs")


def run_agent(args: argparse.Namespace, out: Output) -> None:
    from ndks.agent.running.office import Office  # here, because the other commands do not need them
    from ndks.agent.running.program import Program

    office = Office(args.network) if args.network else None
    program = Program(args.unit, args.timeout, args.carrier, args.tick, office)

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
    add_unit(parser, "the only one with an agent")


def send(args: argparse.Namespace, out: Output) -> None:
    need(args.text is None or args.file is None, "a message is a text or a file, not both")
    data = args.text.encode() if args.text is not None else _content(args.file or Path("-"))
    with client(args) as agent:
        answer = agent.ask("send", data=base64.b64encode(data).decode())
    out.done({name: answer[name] for name in ("s", "waits", "generation", "newest")}, _on_its_way(answer))


def _on_its_way(answer: dict[str, Any]) -> str:
    s, generation, newest = answer["s"], answer["generation"], answer["newest"]
    if answer["waits"]:
        return f"message {s} is on its way when the unit is there"
    if newest is None or newest <= generation:
        return f"message {s} is on its way"
    return (
        f"message {s} is on its way, sealed in generation {generation}: units that joined later have lost it. "
        f"Generation {newest} is made, and this unit enters it soon; then send the message again if they need it"
    )


def _content(path: Path) -> bytes:
    with file_errors(), reading(path) as source:
        parts: list[bytes] = []
        while (part := read_some(source, _LARGEST)) != b"":
            parts.append(part or b"")
            if sum(map(len, parts)) > _LARGEST:
                raise UsageError("the message is too long", "send it in parts, or as a capsule: ndks encrypt")
        return b"".join(parts)


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
        raise UsageError(f"{directory} is no directory", "make it first")
    with client(args) as agent:
        _note_checks(agent)
        for event in agent.events(follow=args.follow, unordered=args.unordered):
            if directory and event["kind"] != "lost":
                _write(directory, event)
            write_stdout(encoded(f"{_line(event, directory, as_json=out.as_json)}\n"))


def _note_checks(agent: Any) -> None:
    """Say on stderr what is due to be checked by another channel, and what failed."""
    for line in check_lines(agent.ask("checks")):
        note(line)


def _write(directory: Path, event: dict[str, Any]) -> None:
    """Write a message to a file; one that is there already was received before, and not confirmed."""
    path = directory / f"{event['lane']}-{event['s']}"
    data = base64.b64decode(event["data"])
    if path.exists() and path.read_bytes() == data:
        return
    write_new(path, data)


def _line(event: dict[str, Any], directory: Path | None, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"schema": 1, **{name: value for name, value in event.items() if name != "place"}})
    if event["kind"] == "lost":
        return f"{event['lane']}  {lost(event)}"
    kind = "" if event["kind"] == "message" else f" ({event['kind']})"
    where = f"{directory / str(event['lane'])}-{event['s']}" if directory else _shown(base64.b64decode(event["data"]))
    return f"{event['lane']}  {event['s']}{kind}  {where}"


def _shown(data: bytes) -> str:
    try:
        return printable(data.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        return f"({len(data)} bytes; write them to files with -o DIRECTORY)"
