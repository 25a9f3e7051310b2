# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One side's laptop in the second stage: writes, encrypts and sends letters, receives them, or reads what it received.

python -m ndks_laboratory.stages.correspondent NAME PORT DIR send|receive|read BATCH COUNT SEED [TCP_PORT]
"""

import json
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import ndks
from ndks.exceptions import NdksError
from ndks.files import write_private
from ndks_laboratory.homologation.correspondence import FROM_CAGE, Letter, letters

from .cage import interfaces, namespace
from .processes import Side, tell

_LENGTH = ">I"  # before each capsule on the line
_TIMEOUT = 120.0


def encrypt(side: Side, batch: Sequence[Letter]) -> None:
    """Write each letter, encrypt it, and delete the original; the one from the cage is encrypted already."""
    with ndks.open(side.port) as unit:
        for letter in batch:
            if letter.number == FROM_CAGE:
                continue
            original = side.letter(letter.number)
            write_private(original, letter.text)
            unit.encrypt(original, side.capsule(letter.number), cipher=letter.cipher, mode=letter.sealed_in)
            original.unlink()
        unit.eject()


def send(side: Side, batch: Sequence[Letter], port: int) -> None:
    """Encrypt the letters, then connect and send the capsules."""
    encrypt(side, batch)
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as line:
        for letter in batch:
            capsule = side.capsule(letter.number).read_bytes()
            line.sendall(struct.pack(_LENGTH, len(capsule)) + capsule)
    tell(f"{len(batch)} capsules sent")


def receive(side: Side, batch: Sequence[Letter], port: int) -> None:
    """Take what comes, all of it, and hang up."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as line, line.makefile("rb") as stream:
        for letter in batch:
            write_private(side.received(letter.number), _read_capsule(stream))
    tell(f"{len(batch)} capsules received")


def read(side: Side, batch: Sequence[Letter]) -> None:
    """Decrypt what was received; in a cage, where one can be had: this laptop is disconnected."""
    errors: dict[int, str] = {}
    with ndks.open(side.port) as unit:
        for letter in batch:
            try:
                unit.decrypt(side.received(letter.number), side.opened(letter.number), mode=letter.opened_in)
            except NdksError as error:
                errors[letter.number] = f"{error.code}: {error}"
        unit.eject()
    evidence = {"namespace": namespace(), "interfaces": interfaces(), "errors": errors}
    side.evidence.write_text(json.dumps(evidence))
    tell(f"{len(batch) - len(errors)} of {len(batch)} opened")


def _read_capsule(stream: BinaryIO) -> bytes:
    (size,) = struct.unpack(_LENGTH, stream.read(struct.calcsize(_LENGTH)))
    return stream.read(size)


def main(name: str, port: str, directory: str, task: str, batch: str, count: str, seed: str, line: str = "0") -> int:
    side = Side(name, port, Path(directory))
    wanted = [letter for letter in letters(int(count), int(seed)) if letter.batch == int(batch)]
    if task == "read":
        read(side, wanted)
    else:
        {"send": send, "receive": receive}[task](side, wanted, int(line))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
