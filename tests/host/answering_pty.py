# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A serial port with something other than a proper unit at its other end."""

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator

from ndks_protocol import commands, framing

Answering = Callable[[bytes], bytes]
Serve = Callable[[int, int, bytes], None]  # the terminal's other end, from where, what has arrived


@contextlib.contextmanager
def served_pty(serve: Serve, *others: int) -> Iterator[str]:
    """Yield the path of a terminal; a thread serves the data at its other end and at other descriptors."""
    master, slave = pty.openpty()
    for terminal in (slave, *others):
        tty.setraw(terminal)  # else the terminal itself would echo
    stop_reading, stop = os.pipe()

    def serve_all() -> None:
        while stop_reading not in (readable := select.select([master, *others, stop_reading], [], [])[0]):
            for end in readable:
                serve(master, end, os.read(end, 4096))

    serving = threading.Thread(target=serve_all)
    serving.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.close(stop)
        serving.join()
        for descriptor in (master, slave, stop_reading, *others):
            os.close(descriptor)


def answering_pty(answer: Answering) -> contextlib.AbstractContextManager[str]:
    """Yield the path of a port whose other end answers each piece of data with `answer(piece)`."""
    return served_pty(lambda master, _, received: write_all(master, answer(received)))


def write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def silence(_: bytes) -> bytes:
    return b""


def echo(received: bytes) -> bytes:
    return received


def garbage(_: bytes) -> bytes:
    return b"$GPGGA,123519,4807.038,N,01131.000,E\r\n\0\xff\x00\x02\x00"


class HelloAnswer:
    """Answers only HELLO, with the given payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._decoder = framing.Decoder()

    def __call__(self, received: bytes) -> bytes:
        frames = [event for event in self._decoder.feed(received) if isinstance(event, framing.Frame)]
        kind = commands.HELLO.code | framing.ANSWER
        return b"".join(framing.encode(kind, frame.request_id, self._payload) for frame in frames)
