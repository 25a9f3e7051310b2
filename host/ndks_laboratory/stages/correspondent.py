# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Process of one side in stage 2: encrypts and sends letters, receives capsules, or decrypts them.

python -m ndks_laboratory.stages.correspondent NAME PORT DIR send|receive TCP_PORT ORDERS
python -m ndks_laboratory.stages.correspondent NAME PORT DIR read BATCH ORDERS
"""

import json
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ndks.exceptions import NdksError
from ndks.whole_file import write_private
from ndks_laboratory import times

from .cage import interfaces, namespace
from .plugging import open_unit
from .processes import log
from .sides import Side

Order = tuple[int, str, str]  # number, cipher and mode of a letter

_LENGTH = ">I"  # before each capsule on the line


def encrypt(side: Side, orders: Sequence[Order]) -> None:
    """Encrypt each letter and delete the original; skip the letter that was encrypted in the cage."""
    with open_unit(side) as unit:
        for number, cipher, mode in orders:
            if side.capsule(number).exists():
                continue
            unit.encrypt(side.letter(number), side.capsule(number), cipher=cipher, mode=mode)
            side.letter(number).unlink()
        unit.eject()


def send(side: Side, orders: Sequence[Order], port: int) -> None:
    """Encrypt the letters, then connect and send the capsules."""
    encrypt(side, orders)
    with socket.create_connection(("127.0.0.1", port), times.CHANNEL) as line:
        for number, _, _ in orders:
            capsule = side.capsule(number).read_bytes()
            line.sendall(struct.pack(_LENGTH, len(capsule)) + capsule)
    log(f"{len(orders)} capsules sent")


def receive(side: Side, orders: Sequence[Order], port: int) -> None:
    """Receive all capsules, then disconnect."""
    with socket.create_connection(("127.0.0.1", port), times.CHANNEL) as line, line.makefile("rb") as stream:
        for number, _, _ in orders:
            write_private(side.received(number), _read_capsule(stream))
    log(f"{len(orders)} capsules received")


def read(side: Side, orders: Sequence[Order], batch: int) -> None:
    """Decrypt the received capsules; runs in a cage if the system permits it."""
    errors: dict[int, str] = {}
    with open_unit(side) as unit:
        for number, _, mode in orders:
            try:
                unit.decrypt(side.received(number), side.opened(number), mode=mode)
            except NdksError as error:
                errors[number] = f"{error.code}: {error}"
        unit.eject()
    evidence = {"namespace": namespace(), "interfaces": interfaces(), "errors": errors}
    side.reading(batch).write_text(json.dumps(evidence))
    log(f"{len(orders) - len(errors)} of {len(orders)} opened")


def _read_capsule(stream: BinaryIO) -> bytes:
    (size,) = struct.unpack(_LENGTH, stream.read(struct.calcsize(_LENGTH)))
    return stream.read(size)


def main(name: str, port: str, directory: str, task: str, number: str, orders: str) -> int:  # number: TCP port, batch
    side = Side(name, port, Path(directory))
    {"send": send, "receive": receive, "read": read}[task](side, json.loads(orders), int(number))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
