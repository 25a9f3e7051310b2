# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The plain side: a server that takes, echoes or ignores what comes, and a client that floods it.

python applications.py serve PORT        the first byte of a connection says what it wants: TAKE, ECHO or IGNORE
python applications.py flood PORT        take from me without end
python applications.py delay PORT UNIT_PORT SECONDS    relay one connection at a time; each answer comes so much later
"""

import contextlib
import socket
import sys
import threading
import time

TAKE, ECHO, IGNORE = b"T", b"E", b"I"  # TAKE is followed by the number of bytes, u64
CHUNK = 1 << 18
_BACKLOG = 1024


def serve(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    while True:
        line, _ = listener.accept()
        threading.Thread(target=_answer, args=(line,), daemon=True).start()


def _answer(line: socket.socket) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with line, contextlib.suppress(OSError):
        match line.recv(1):
            case b"T":  # TAKE
                _take(line, int.from_bytes(_exactly(line, 8), "big"))
            case b"E":  # ECHO
                while data := line.recv(CHUNK):
                    line.sendall(data)
            case _:
                threading.Event().wait()


def _take(line: socket.socket, size: int) -> None:
    """Take so many bytes, and say so by one byte."""
    buffer, taken = bytearray(CHUNK), 0
    while taken < size and (got := line.recv_into(buffer)):
        taken += got
    if taken == size:
        line.sendall(b"!")


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := line.recv(size - len(data))):
        data += more
    return data


def connect(port: int, wanted: bytes, seconds: float = 20.0) -> socket.socket:
    """Connect to the server, perhaps through gateways, and say what is wanted."""
    line = socket.create_connection(("127.0.0.1", port), seconds)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(wanted)
    return line


def send(port: int, size: int) -> float:
    """Send so many bytes, and return the seconds until the server says that it has them."""
    block = memoryview(bytes(CHUNK))
    with connect(port, TAKE + size.to_bytes(8, "big")) as line:
        began = time.perf_counter()
        for at in range(0, size, CHUNK):
            line.sendall(block[: size - at])
        if line.recv(1) != b"!":
            raise ConnectionError("the stream ended early")
        return time.perf_counter() - began


def delay(port: int, unit_port: int, seconds: float) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        host, _ = listener.accept()
        with host, socket.create_connection(("127.0.0.1", unit_port)) as unit:
            for line in (host, unit):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_copy, args=(host, unit, 0.0), daemon=True).start()
            _copy(unit, host, seconds)


def _copy(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            time.sleep(seconds)
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


def main(what: str, port: str, *more: str) -> None:
    if what == "serve":
        serve(int(port))
    elif what == "flood":
        send(int(port), 1 << 50)
    else:
        delay(int(port), int(more[0]), float(more[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
