# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side's laptop in the second stage: writes and sends a message, receives one, or reads what it has received.

python -m ndks_laboratory.demo.correspondent DIR send|receive|read TURN [PORT]
"""

import json
import shutil
import socket
import sys
from pathlib import Path

import ndks
from ndks.exceptions import NdksError
from ndks.files import private_file, write_private
from ndks_laboratory.stages.cage import interfaces, namespace

from .plan import TIMEOUT, TURNS, SideFiles, Turn, letter
from .side import plugged_in_unit


def send(files: SideFiles, turn: Turn, port: int) -> None:
    """Write a letter, encrypt it, delete the original, and send the capsule."""
    original, capsule = files.letter(turn), files.capsule(turn)
    write_private(original, letter(turn))
    with plugged_in_unit(files) as (unit_port, _), ndks.open(unit_port) as unit:
        unit.encrypt(original, capsule, cipher=turn.cipher, mode=turn.sealed_in)
        unit.eject()
    original.unlink()
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as line, capsule.open("rb") as file:
        line.sendfile(file)
    print(f"laptop: {capsule.name} sent", flush=True)


def receive(files: SideFiles, turn: Turn, port: int) -> None:
    """Take what comes, all of it, and hang up."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as line, private_file(files.received(turn)) as file:
        shutil.copyfileobj(line.makefile("rb"), file)
    print(f"laptop: {files.received(turn).name} received", flush=True)


def read(files: SideFiles, turn: Turn) -> None:
    """Decrypt what was received; in a cage, where one can be had: this laptop is disconnected."""
    outcome = {"namespace": namespace(), "interfaces": interfaces(), "error": "", "message": ""}
    with plugged_in_unit(files) as (unit_port, _), ndks.open(unit_port) as unit:
        try:
            unit.decrypt(files.received(turn), files.opened(turn), mode=turn.opened_in)
        except NdksError as error:
            outcome |= {"error": error.code, "message": str(error)}
    files.outcome(turn).write_text(json.dumps(outcome))
    print(f"laptop: {files.received(turn).name} {outcome['error'] or 'opened'}", flush=True)


def main(directory: str, task: str, number: str, port: str = "0") -> int:
    files, turn = SideFiles(Path(directory)), TURNS[int(number) - 1]
    if task == "read":
        read(files, turn)
    else:
        {"send": send, "receive": receive}[task](files, turn, int(port))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
