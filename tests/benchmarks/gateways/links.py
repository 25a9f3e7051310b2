# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A relay between the two ends of a tunnel, which measures how long each new link takes, and cuts it."""

import contextlib
import queue
import socket
import threading
import time

from .applications import CHUNK

HELLO = 21  # bytes: "NDKT" 02 | challenge 16
HEADER, CHECK = 37, 8  # bytes, in a full handshake
_PATIENCE = 20.0  # seconds


class Relay:
    """`port` leads to the gateway at `guard`."""

    def __init__(self, guard: int) -> None:
        self._guard = guard
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        self._took: queue.Queue[tuple[str, float]] = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def link(self) -> tuple[str, float]:
        """Wait for the next link; return full or resumed, and its milliseconds.

        They count from the connection until the accepting gateway has sent its first record. queue.Empty.
        """
        return self._took.get(timeout=_PATIENCE)

    def cut(self) -> None:
        for line in self._links:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._links.clear()

    def _serve(self) -> None:
        while True:
            near, _ = self._listener.accept()
            began = time.perf_counter()
            far = socket.create_connection(("127.0.0.1", self._guard))
            for line in (near, far):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._links += near, far
            threading.Thread(target=self._copy, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._copy, args=(far, near, began), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, began: float | None) -> None:
        seen = b""
        with contextlib.suppress(OSError), source:
            while data := source.recv(CHUNK):
                target.sendall(data)
                seen += data if began else b""
                if began and (kind := made(seen)):
                    self._took.put((kind, (time.perf_counter() - began) * 1e3))
                    began, seen = None, b""
            target.shutdown(socket.SHUT_RDWR)


def made(said: bytes) -> str:
    """Return full or resumed when the accepting gateway has said more than hello and accept; before that ""."""
    kind = said[HELLO : HELLO + 1]
    sizes = {b"\1": ("full", HELLO + 1 + HEADER + CHECK), b"\2": ("resumed", HELLO + 1)}
    if kind not in sizes:
        return ""
    name, at = sizes[kind]
    size = int.from_bytes(said[at : at + 2], "big")
    return name if len(said) > at + 2 + size else ""
