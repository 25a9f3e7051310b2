# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""demo: the paper's no-channel key sharing with two emulated units."""

import argparse
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ndks.demo import StageResult, run_stage
from ndks.exceptions import FileError

from .arguments import add_command, add_path, need
from .output import Output, note

_FAULTS = ("p1",)


def add_commands(subparsers: Any) -> None:
    parser = add_command(
        subparsers, "demo", "show two emulated units share keys with no channel between them", _EXAMPLES, demo
    )
    parser.add_argument("--fault", choices=_FAULTS, help="p1: alter one decimal of p1 in Bob's copy; must fail")
    add_path(parser, "--directory", metavar="DIR", help="keep all files there (default: removed at the end)")


_EXAMPLES = """\
  ndks demo                          exit status 1 if a check failed
  ndks demo --fault p1               shows that a difference is seen: exit status 1
  ndks demo --directory /tmp/stage   keep keys, logs and evidence"""


def demo(args: argparse.Namespace, out: Output) -> int:
    need(hasattr(os, "openpty"), "the demo needs pseudo-terminals, which this system does not have", "use Linux")
    if args.directory is None:
        with tempfile.TemporaryDirectory(prefix="ndks-demo-") as directory:
            return _run(Path(directory).resolve(), args, out)
    args.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(args.directory.iterdir()):
        raise FileError(f"{args.directory} is not empty", "name a new directory")
    return _run(args.directory.resolve(), args, out)


def _run(directory: Path, args: argparse.Namespace, out: Output) -> int:
    result = run_stage(directory, alter_p1=args.fault == "p1", tell=note)
    out.result(_values(result), _screen(result))
    return 1 if result.failed else 0


def _values(result: StageResult) -> dict[str, Any]:
    return {
        "held": result.held,
        "cage": result.cage,
        "namespace": result.namespace,
        "sides": result.evidence,
        "units": result.serial_numbers,
        "keys": [asdict(key) | {"same": key.same} for key in result.keys],
        "checks": [asdict(check) for check in result.checks],
    }


def _screen(result: StageResult) -> str:
    network = result.network
    rows = [
        "No-channel key sharing (paper, section 4.1.1)",
        f"network {network.name}: suite {network.suite}, d = {network.digits}, p1 and p2 with 40 decimals",
        "",
        _row("", "Alice", "Bob"),
        _row("unit", *result.serial_numbers),
        _row("cage", *(side["namespace"] or "none" for side in result.evidence)),
        _row("interfaces", *(" ".join(side["interfaces"]) for side in result.evidence)),
        _row("descriptors", *(" ".join(map(str, side["descriptors"])) for side in result.evidence)),
        "",
        _row("key, bits", "fingerprint", "fingerprint"),
    ]
    for key in result.keys:
        alice, bob = (fingerprint or "(missing)" for fingerprint in key.fingerprints)
        rows.append(_row(f"{key.index}, {key.bits}", alice, bob, "same" if key.same else "DIFFERENT"))
    rows.append("")
    for check in result.checks:
        word = {True: "held", False: "FAILED", None: "NOT SHOWN"}[check.held]
        rows.append(f"{word:10}{check.name}" + (f" ({check.detail})" if check.detail else ""))
    return "\n".join([*rows, "", f"verdict: {_verdict(result)}"])


def _verdict(result: StageResult) -> str:
    if result.failed:
        return "FAILED. Not everything held."
    if result.held is None:
        return "the keys agree, but this system cannot show that there was no channel."
    return f"HELD. {len(result.keys)} keys shared by two units, with no channel between them."


def _row(name: str, alice: str, bob: str, remark: str = "") -> str:
    return f"{name:14}{alice:20}  {bob:20}  {remark}".rstrip()
