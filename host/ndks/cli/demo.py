# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command demo: the paper's two stages with two emulated units, key sharing without a channel and then messages."""

import argparse
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ndks.exceptions import CheckFailed, FileError
from ndks_laboratory.demo import Demonstration, demonstrate
from ndks_laboratory.entropy import entropy
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Outcome
from ndks_laboratory.stages.cage import namespace
from ndks_laboratory.stages.regular_channel import Carried

from .arguments import add_path, need
from .output import Output, need_stdout, note
from .parser import Parser, set_up

_FAULTS = ("p1", "tamper")


def add_demo(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, demo)
    parser.add_argument(
        "--fault",
        choices=_FAULTS,
        help="p1: alter one decimal of p1 in Bob's copy; tamper: flip a bit on the line; the demo must then fail",
    )
    add_path(parser, "--directory", metavar="DIR", help="keep all files in DIR (default: remove them at the end)")


_EXAMPLES = """\
  ndks demo                          exit status 1 if a check failed
  ndks demo --fault p1               shows that a difference is detected: exit status 1
  ndks demo --fault tamper           shows that an altered bit is detected: exit status 1
  ndks demo --directory /tmp/stage   keep keys, logs and evidence"""


def demo(args: argparse.Namespace, out: Output) -> int:
    need(hasattr(os, "openpty"), "the demo needs pseudo-terminals, which this system does not have", "use Linux")
    need_stdout()
    if args.directory is None:
        with tempfile.TemporaryDirectory(prefix="ndks-demo-") as directory:
            return _run_and_forget(Path(directory).resolve(), args, out)
    args.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(args.directory.iterdir()):
        raise FileError(f"{args.directory} is not empty", "name a new directory")
    return _run(args.directory.resolve(), args, out)


def _run_and_forget(directory: Path, args: argparse.Namespace, out: Output) -> int:
    try:
        return _run(directory, args, out)
    except CheckFailed as error:
        error.advice = "repeat with --directory DIR, and read log.txt of that side"
        raise


def _run(directory: Path, args: argparse.Namespace, out: Output) -> int:
    shown = demonstrate(directory, alter_p1=args.fault == "p1", tamper=args.fault == "tamper", tell=note)
    outcome = Outcome(shown.word)
    screen = [*_keys_screen(shown), "", *_messages_screen(shown), "", f"verdict: {_VERDICTS[outcome.word]}"]
    out.result({"held": outcome.in_json, **_key_values(shown), **_message_values(shown)}, "\n".join(screen))
    return 1 if outcome.word == FAILED else 0


_VERDICTS = {
    HELD: "HELD. Keys shared with no channel between the units; messages arrived, with no piece of them on the line.",
    FAILED: "FAILED. Not everything held.",
    NOT_SHOWN: "keys and messages agree, but this system cannot show that there was no channel.",
}


def _key_values(shown: Demonstration) -> dict[str, Any]:
    cages = shown.keys.cages
    return {
        "cage": " ".join(cages.command),
        "namespace": namespace(),
        "sides": cages.evidence,
        "serial_numbers": [member.serial_number for member in shown.members],
        "keys": [asdict(key) | {"same": key.same} for key in shown.keys.keys],
        "checks": [check.row() for check in shown.key_checks],
    }


def _message_values(shown: Demonstration) -> dict[str, Any]:
    messages = [_values(carried) for carried in shown.messages.carried]
    return {"messages": messages, "message_checks": [check.row() for check in shown.message_checks]}


def _values(carried: Carried) -> dict[str, Any]:
    letter = carried.letter
    return {
        "number": letter.number,
        "sender": letter.sender,
        "receiver": letter.receiver,
        "cipher": letter.cipher,
        "sealed_in": letter.sealed_in,
        "opened_in": letter.opened_in,
        "recorded": len(carried.capsule),
        "first_bytes": carried.capsule[:16].hex(),
        "entropy": round(entropy(carried.capsule), 3),
        "entropy_of_text": round(entropy(letter.text), 3),
        "same": carried.same,
        "problem": carried.error,
    }


def _keys_screen(shown: Demonstration) -> list[str]:
    network, sides = shown.network, shown.keys.cages.evidence
    rows = [
        "No-channel key sharing (paper, section 4.1.1)",
        f"network {network.name}: suite {network.suite}, d = {network.digits}, p1 and p2 with 40 decimals",
        "",
        _row("", "Alice", "Bob"),
        _row("unit", *(member.serial_number for member in shown.members)),
        _row("cage", *(side["namespace"] or "none" for side in sides)),
        _row("interfaces", *(" ".join(side["interfaces"]) for side in sides)),
        _row("descriptors", *(" ".join(map(str, side["descriptors"])) for side in sides)),
        "",
        _row("key, bits", "fingerprint", "fingerprint"),
    ]
    for key in shown.keys.keys:
        alice, bob = (fingerprint or "(missing)" for fingerprint in key.fingerprints)
        rows.append(_row(f"{key.index}, {key.bits}", alice, bob, "same" if key.same else "DIFFERENT"))
    return [*rows, "", *(check.line() for check in shown.key_checks)]


def _messages_screen(shown: Demonstration) -> list[str]:
    rows = ["Encrypted communication via a regular channel (paper, section 4.1.2)", ""]
    for carried in shown.messages.carried:
        of, letter = _values(carried), carried.letter
        rows += [
            f"message {letter.number}, {letter.sender.title()} to {letter.receiver.title()}: cipher {letter.cipher}, "
            f"encrypted in mode {letter.sealed_in}, decrypted in mode {letter.opened_in}",
            f"  on the line  {of['first_bytes']}... {of['recorded']} bytes, "
            f"{of['entropy']:.2f} bits of entropy a byte; the text has {of['entropy_of_text']:.2f}",
            f"  came out     {_first_line(carried.came_out) if carried.came_out else carried.error}",
        ]
    return [*rows, "", *(check.line() for check in shown.message_checks)]


def _first_line(text: bytes) -> str:
    return text.decode(errors="replace").partition("\n")[0]


def _row(name: str, alice: str, bob: str, remark: str = "") -> str:
    return f"{name:14}{alice:20}  {bob:20}  {remark}".rstrip()
