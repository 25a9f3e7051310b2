# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side of the first stage, in its cage: probes the cage while the laboratory asks, then, alone, takes keys.

python -m ndks_laboratory.stages.in_cage NAME PORT DIR PLAN
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ndks
from ndks_laboratory import faraday
from ndks_laboratory.faraday.channels import interface_channel
from ndks_laboratory.homologation.correspondence import FROM_CAGE

from .cage import interfaces, namespace, open_descriptors
from .probe import Doors, knock_everywhere
from .processes import Side, answer, questions, tell


def serve_probes() -> None:
    """Answer the laboratory until it has closed its end."""
    with Doors() as doors:
        for question, argument in questions(sys.stdin):
            if question == "describe":
                answer(doors.describe())
            else:
                answer([asdict(knock) for knock in knock_everywhere(argument)])


def close_lines() -> None:
    """Give up the two pipes to the laboratory: from here on nobody outside is heard or told anything."""
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def cage_channels() -> list[faraday.LaptopChannel]:
    """Return the interfaces of this cage; what else a computer has is outside of it, or the same for both sides."""
    machine = faraday.Computer()
    return [interface_channel(each, machine) for each in machine.interfaces() if not each.is_loopback]


def take_keys(side: Side, planned: dict[str, Any]) -> None:
    """Do what a laptop does in its cage."""
    original = side.letter(FROM_CAGE)
    message = original if original.exists() else None
    salt, keys, bits = bytes.fromhex(planned["salt"]), planned["keys"], planned["bits"]
    # What is open is recorded, and refuses approval: a laboratory goes on and finds all that there is to find.
    plan = faraday.FaradayPlan(salt, side.record, message, keys, bits, accept_risk=True, look=cage_channels)
    with ndks.open(side.port) as unit:
        faraday.take_record(unit, plan, cage_channels())
        unit.eject()
    tell(f"{keys} keys taken")


def main(name: str, port: str, directory: str, plan: str) -> int:
    side, planned = Side(name, port, Path(directory)), json.loads(plan)
    serve_probes()
    close_lines()
    evidence = {"descriptors": open_descriptors(), "namespace": namespace(), "interfaces": interfaces()}
    side.evidence.write_text(json.dumps(evidence))
    if planned:
        take_keys(side, planned)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
