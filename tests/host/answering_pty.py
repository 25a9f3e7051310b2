# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A serial port with something at its other end that is not, or not quite, a unit."""

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator

from ndks_protocol import commands, framing

Answering = Callable[[bytes], bytes]


@contextlib.contextmanager
def answering_pty(answer: Answering) -> Iterator[str]:
    """Yield the path of a port whose other end sends back what `answer` makes of each piece it receives."""
    master, slave = pty.openpty()
    tty.setraw(slave)  # else the terminal itself would echo
    stop_reading, stop = os.pipe()
    answering = threading.Thread(target=_serve, args=(master, stop_reading, answer))
    answering.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.close(stop)
        answering.join()
        for descriptor in (master, slave, stop_reading):
            os.close(descriptor)


def silence(_: bytes) -> bytes:
    return b""


def echo(received: bytes) -> bytes:
    return received


def garbage(_: bytes) -> bytes:
    return b"$GPGGA,123519,4807.038,N,01131.000,E\r\n\0\xff\x00\x02\x00"


class HelloAnswer:
    """Answers HELLO, and nothing else, with the payload given."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._decoder = framing.Decoder()

    def __call__(self, received: bytes) -> bytes:
        frames = [event for event in self._decoder.feed(received) if isinstance(event, framing.Frame)]
        kind = commands.HELLO.code | framing.ANSWER
        return b"".join(framing.encode(kind, frame.request_id, self._payload) for frame in frames)


def _serve(master: int, stop: int, answer: Answering) -> None:
    while True:
        readable, _, _ = select.select([master, stop], [], [])
        if stop in readable:
            return
        os.write(master, answer(os.read(master, 4096)))
