# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""demo: the paper's two stages with two emulated units: no-channel key sharing, then encrypted communication."""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError
from ndks_laboratory.demo import Carried, Check, StageResult, all_held, check_messages, run_messages, run_stage
from ndks_laboratory.demo.messages import values

from .arguments import add_command, add_path, need
from .output import Output, need_stdout, note

_FAULTS = ("p1", "tamper")


def add_commands(subparsers: Any) -> None:
    parser = add_command(
        subparsers, "demo", "show two units share keys with no channel, then send each other messages", _EXAMPLES, demo
    )
    parser.add_argument(
        "--fault",
        choices=_FAULTS,
        help="p1: alter one decimal of p1 in Bob's copy; tamper: flip a bit on the line; must fail",
    )
    add_path(parser, "--directory", metavar="DIR", help="keep all files there (default: removed at the end)")


_EXAMPLES = """\
  ndks demo                          exit status 1 if a check failed
  ndks demo --fault p1               shows that a difference is seen: exit status 1
  ndks demo --fault tamper           shows that a bit altered on the way is seen: exit status 1
  ndks demo --directory /tmp/stage   keep keys, logs and evidence"""


def demo(args: argparse.Namespace, out: Output) -> int:
    need(hasattr(os, "openpty"), "the demo needs pseudo-terminals, which this system does not have", "use Linux")
    need_stdout()
    if args.directory is None:
        with tempfile.TemporaryDirectory(prefix="ndks-demo-") as directory:
            return _run(Path(directory).resolve(), args, out)
    args.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(args.directory.iterdir()):
        raise FileError(f"{args.directory} is not empty", "name a new directory")
    return _run(args.directory.resolve(), args, out)


def _run(directory: Path, args: argparse.Namespace, out: Output) -> int:
    stage = run_stage(directory, alter_p1=args.fault == "p1", tell=note)
    carried = run_messages(directory, stage.cage, tamper=args.fault == "tamper", tell=note)
    checks = check_messages(carried, caged=bool(stage.cage))
    held = all_held((*stage.checks, *checks))
    screen = [*_keys_screen(stage), "", *_messages_screen(carried, checks), "", f"verdict: {_verdict(stage, held)}"]
    out.result({"held": held, **_key_values(stage), **_message_values(carried, checks)}, "\n".join(screen))
    return 1 if held is False else 0


def _key_values(stage: StageResult) -> dict[str, Any]:
    return {
        "cage": " ".join(stage.cage),
        "namespace": stage.namespace,
        "sides": stage.evidence,
        "units": stage.serial_numbers,
        "keys": [asdict(key) | {"same": key.same} for key in stage.keys],
        "checks": [asdict(check) for check in stage.checks],
    }


def _message_values(carried: list[Carried], checks: Sequence[Check]) -> dict[str, Any]:
    return {"messages": [values(c) for c in carried], "message_checks": [asdict(check) for check in checks]}


def _keys_screen(stage: StageResult) -> list[str]:
    network = stage.network
    rows = [
        "No-channel key sharing (paper, section 4.1.1)",
        f"network {network.name}: suite {network.suite}, d = {network.digits}, p1 and p2 with 40 decimals",
        "",
        _row("", "Alice", "Bob"),
        _row("unit", *stage.serial_numbers),
        _row("cage", *(side["namespace"] or "none" for side in stage.evidence)),
        _row("interfaces", *(" ".join(side["interfaces"]) for side in stage.evidence)),
        _row("descriptors", *(" ".join(map(str, side["descriptors"])) for side in stage.evidence)),
        "",
        _row("key, bits", "fingerprint", "fingerprint"),
    ]
    for key in stage.keys:
        alice, bob = (fingerprint or "(missing)" for fingerprint in key.fingerprints)
        rows.append(_row(f"{key.index}, {key.bits}", alice, bob, "same" if key.same else "DIFFERENT"))
    return [*rows, "", *map(_check_row, stage.checks)]


def _messages_screen(carried: list[Carried], checks: Sequence[Check]) -> list[str]:
    rows = ["Encrypted communication via a regular channel (paper, section 4.1.2)", ""]
    for message in carried:
        of, turn = values(message), message.turn
        rows += [
            f"message {turn.number}, {turn.sender.title()} to {turn.receiver.title()}: cipher {turn.cipher}, "
            f"encrypted in mode {turn.sealed_in}, decrypted in mode {turn.opened_in}",
            f"  on the line  {of['first_bytes']}... {of['recorded']} bytes, "
            f"{of['entropy']:.2f} bits of entropy a byte; the text has {of['entropy_of_text']:.2f}",
            f"  came out     {_first_line(message.came_out) if message.came_out else message.error}",
        ]
    return [*rows, "", *map(_check_row, checks)]


def _first_line(text: bytes) -> str:
    return text.decode(errors="replace").partition("\n")[0]


def _check_row(check: Check) -> str:
    word = {True: "held", False: "FAILED", None: "NOT SHOWN"}[check.held]
    return f"{word:10}{check.name}" + (f" ({check.detail})" if check.detail else "")


def _verdict(stage: StageResult, held: bool | None) -> str:
    if held is False:
        return "FAILED. Not everything held."
    if held is None:
        return "keys and messages agree, but this system cannot show that there was no channel."
    return "HELD. Keys shared with no channel between the units; messages arrived, with no piece of them on the line."


def _row(name: str, alice: str, bob: str, remark: str = "") -> str:
    return f"{name:14}{alice:20}  {bob:20}  {remark}".rstrip()
