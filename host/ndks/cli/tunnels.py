# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command tunnel: run one end, show the ends that run here, forget a peer."""

import argparse
import contextlib
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from ndks.exceptions import NdksError, UsageError

from .arguments import add_unit, bounded, need, quoted
from .confirmation import add_yes, confirm
from .log import show_news
from .output import Output, is_stdout_open, note, write_stdout
from .parser import Parser, add_command, add_group, show_examples

_MOST_LANE = 0xFFFF
_RECORDS = ("aes", "capsule-aes", "capsule-vernam")
_ENDS = ("listen", "accept")
_EXAMPLES = """\
  at the site with the users:      ndks tunnel web --listen 8000 --connect gateway.example:7700
  at the site with the service:    ndks tunnel web --accept 0.0.0.0:7700 --to 127.0.0.1:80
  ndks tunnel status               what is up, and what is waited for"""
_RUN_EXAMPLES = """\
  ndks tunnel web --listen 127.0.0.1:8000 --connect gateway.example:7700
  ndks tunnel run web --accept 0.0.0.0:7700 --to 127.0.0.1:80 --peer 3
  ndks tunnel dns --listen 5353 --connect gateway.example:7753 --udp        TCP and UDP"""
_STATUS_EXAMPLES = """\
  ndks tunnel status
  ndks tunnel status web --json
  ndks tunnel status web --metrics     as Prometheus reads it"""
_FORGET_EXAMPLES = """\
  ndks tunnel forget web      where the gateway at the other end was set up anew
  ndks tunnel forget web --accept     where both ends of it run here"""


def add_tunnel(parser: Parser) -> None:
    show_examples(parser, _EXAMPLES)
    kinds = add_group(parser)
    parser.usual, parser.usual_options = "run", ("--listen", "--connect", "--accept", "--to")
    run_help = "run one end of a tunnel; the word run may be left out"
    _add_run(add_command(kinds, "run", run_help, _RUN_EXAMPLES, run))
    status = add_command(kinds, "status", "show the ends of tunnels that run here", _STATUS_EXAMPLES, show_status)
    _add_name(status, nargs="?", help="default: all of them")
    status.add_argument("--metrics", action="store_true", help="print numbers as Prometheus reads them")
    forget_help = "forget the pinned gateway at the other end; the next one is pinned anew"
    forgetting = add_command(kinds, "forget", forget_help, _FORGET_EXAMPLES, forget)
    _add_name(forgetting, help="name of the tunnel")
    group: Any = forgetting.add_mutually_exclusive_group()
    for end in _ENDS:
        text = f"let the end with --{end} forget"
        group.add_argument(f"--{end}", dest="end", action="store_const", const=end, help=text)
    add_yes(forgetting)


def _add_run(parser: Parser) -> None:
    _add_name(parser, help="name of the tunnel, the same at both ends")
    add: Any = parser.add_argument
    add("--listen", metavar="ADDRESS", type=_address, help="take connections of applications here; with --connect")
    add("--connect", metavar="ADDRESS", type=_address, help="where the gateway at the other end accepts the link")
    add("--accept", metavar="ADDRESS", type=_address, help="accept the link of the other gateway here; with --to")
    add("--to", metavar="ADDRESS", type=_address, help="where the service is that connections lead to")
    add("--peer", metavar="LANE", type=_lane, help="lane of the other gateway's unit (default: that of the first link)")
    add("--udp", action="store_true", help="carry datagrams too, between the same addresses; at both ends")
    text = "how records are sealed: aes, or each by the unit as a capsule, which is slow (default: aes)"
    add("--record", choices=_RECORDS, default=_RECORDS[0], help=text)
    add("--metrics", metavar="ADDRESS", type=_address, help="give numbers to Prometheus at this address (default: no)")
    add_unit(parser, "$NDKS_UNIT, or the only one that a service holds")


def _add_name(parser: Parser, **options: Any) -> None:
    name: Any = parser.add_argument("name", metavar="NAME", **options)
    name.completes = "TUNNEL"


def run(args: argparse.Namespace, out: Output) -> None:
    from ndks_gateways.running.program import Program  # here, because the other commands do not need it

    if sys.platform != "linux":
        raise UsageError("ndks tunnel needs Linux", "run it on a gateway with Linux, beside ndks service")
    program = Program(_settings(args), args.timeout)

    def started(socket: Path) -> None:
        from .signals import end_by

        end_by(program.end)
        note(f"tunnel {args.name} runs; Ctrl-C ends it")
        if is_stdout_open():
            out.result({"name": args.name, "socket": str(socket), "pid": os.getpid()}, str(socket))

    show_news()
    program.run(started)


def _settings(args: argparse.Namespace) -> Any:
    from ndks_gateways.running.settings import Settings

    ends = bool(args.listen or args.connect), bool(args.accept or args.to)
    advice = "give --listen with --connect at the end of the users, --accept with --to at the end of the service"
    need(ends != (False, False), "a tunnel needs two addresses", advice)
    need(ends != (True, True), "--listen and --connect are for one end, --accept and --to for the other", advice)
    inner, outer = (args.listen, args.connect) if ends[0] else (args.to, args.accept)
    need(bool(inner and outer), "one of the two addresses is missing", advice)
    need(not (args.udp and args.record != _RECORDS[0]), "--udp goes with --record aes only", "leave one of them out")
    options = args.peer, args.udp, args.record, args.metrics, args.unit
    return Settings(args.name, ends[0], inner, outer, *options)


def show_status(args: argparse.Namespace, out: Output) -> None:
    from ndks_gateways.running.metrics import text

    found = _running(args.name)
    if args.metrics:
        need(not out.as_json, "--metrics and --json are two forms", "choose one")
        write_stdout(text(found).encode() if found else b"")
        return
    lines = [line for values in found for line in _lines(values)]
    out.result({"tunnels": found}, "\n".join(lines) or "no tunnel runs here, or none of this user's")


def _running(name: str | None) -> list[dict[str, Any]]:
    """Return what the ends of a tunnel say, or all that run. NotRunning for the tunnel that is named."""
    from ndks_gateways.running.control import ask
    from ndks_gateways.running.places import NotRunning, ends_of, names, not_running

    found: list[dict[str, Any]] = []
    for each in [name] if name else names():
        for end in ends_of(each):
            with contextlib.suppress(NotRunning):
                found.append(ask(each, end, "status"))
    if name and not found:
        raise not_running(name)
    return found


def _lines(values: dict[str, Any]) -> list[str]:
    leads = "from {plain_at} to the gateway at {link_at}" if values["side"] == "A" else "from {link_at} to {plain_at}"
    peer = values["peer"]
    there = f"{peer['words']}, lane {peer['lane']}" if peer else "not known: no link was made yet"
    rows = [
        (values["name"], f"{leads.format(**values)}, since {_local(values['since'])}"),
        ("state", values["state"]),
        ("unit", _unit_text(values["unit"])),
        ("connections", "{open} open, {opened} so far, {resets} reset".format(**values["streams"])),
        ("bytes", "{sent} sent, {received} received, {kept} not acknowledged".format(**values["bytes"])),
        ("datagrams", "{sent} sent, {received} received, {dropped} dropped".format(**values["datagrams"])),
        ("handshakes", _handshakes_text(values)),
        *([("capsules", _capsules_text(values))] if values["record"] != _RECORDS[0] else []),
        ("words here", values["own_words"]),
        ("words there", there),
    ]
    return [f"{name:<13} {text}" for name, text in rows]


def _capsules_text(values: dict[str, Any]) -> str:
    rate = "none was sealed yet" if values["rate"] is None else f"{values['rate']} bytes a second"
    return f"{values['record']}: each record is sealed by the unit, {rate}"


def _handshakes_text(values: dict[str, Any]) -> str:
    made = "{full} by the units, {resumed} resumed".format(**values["handshakes"])
    failed = ", ".join(f"{code} {count}" for code, count in sorted(values["handshakes"]["failed"].items()))
    return f"{made}; failed: {failed or 'none'}; links cut: {values['cuts']}"


def _local(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _unit_text(unit: dict[str, Any]) -> str:
    if not unit["present"]:
        return f"away since {_local(unit['away_since'])}: {unit['problem']}. Do: {unit['advice']}"
    return f"{unit['serial_number']}, lane {unit['lane']}; generation {unit['generation']}, epoch {unit['number']}"


def forget(args: argparse.Namespace, out: Output) -> None:
    from ndks_gateways.running.places import ends_of

    ends = [args.end] if args.end else ends_of(args.name) or list(_ENDS)
    peers = {end: _peer(args.name, end) for end in ends}
    pinned = [end for end in ends if peers[end]]
    both = f"both ends of tunnel {args.name} are here, and have pinned a gateway"
    need(len(pinned) < 2, both, "name one: --listen or --accept")
    end = (pinned or ends)[0]
    _confirm(args, peers[end])
    _forget(args.name, end)
    values = {"name": args.name, "forgotten": peers[end]}
    out.done(values, f"tunnel {args.name} takes the next gateway of the network, and pins it")


def _peer(name: str, end: str) -> dict[str, Any] | None:
    from ndks_gateways.running.control import ask
    from ndks_gateways.running.places import NotRunning
    from ndks_gateways.running.store import opened

    try:
        return ask(name, end, "status")["peer"]
    except NotRunning:
        with opened(name, end, create=False) as store:
            return {"lane": store.peer.lane, "words": store.peer_words} if store.peer else None


def _forget(name: str, end: str) -> None:
    from ndks_gateways.running.control import ask
    from ndks_gateways.running.places import NotRunning
    from ndks_gateways.running.store import opened

    try:
        ask(name, end, "forget")
    except NotRunning:
        with opened(name, end, create=False) as store:
            store.forget()


def _confirm(args: argparse.Namespace, peer: dict[str, Any] | None) -> None:
    known = (
        f"the gateway with lane {peer['lane']} and the words {peer['words']}" if peer else "no gateway: none is pinned"
    )
    confirm(args, f"Tunnel {args.name} will forget {known}.")


def _address(text: str) -> Any:
    from ndks_gateways.running.settings import address

    try:
        return address(text)
    except NdksError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not an address; {error.advice}") from None


def _lane(text: str) -> int:
    return bounded(text, 1, _MOST_LANE, f"a lane is a number from 1 to {_MOST_LANE}")
