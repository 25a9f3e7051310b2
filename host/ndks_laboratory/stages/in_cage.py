# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side of the first stage, in its cage: probes the cage while the laboratory asks, then, alone, takes keys.

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
