# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Process of one side in stage 1: probes its cage on request, then takes keys alone.

python -m ndks_laboratory.stages.in_cage NAME PORT DIR TASK
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from .cage import interfaces, namespace, open_descriptors
from .kept_keys import keep_keys
from .probe import Doors, knock_everywhere
from .processes import answer, questions
from .recorded_keys import record_keys
from .sides import Side

_TASKS = {"record": record_keys, "keep": keep_keys}


def serve_probes() -> None:
    """Answer the requests of the laboratory until it closes the pipe."""
    with Doors() as doors:
        for question, argument in questions(sys.stdin):
            if question == "describe":
                answer(doors.describe())
            else:
                answer([asdict(knock) for knock in knock_everywhere(argument)])


def close_lines() -> None:
    """Replace both pipes to the laboratory by /dev/null."""
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def main(name: str, port: str, directory: str, task: str) -> int:
    side, planned = Side(name, port, Path(directory)), json.loads(task)
    serve_probes()
    close_lines()
    evidence = {"descriptors": open_descriptors(), "namespace": namespace(), "interfaces": interfaces()}
    if planned:
        kind, options = planned
        evidence |= _TASKS[kind](side, **options)
    side.evidence.write_text(json.dumps(evidence))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
