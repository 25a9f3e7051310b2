# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What users do, with programs that know nothing of gateways: fetch with curl, type lines to a server."""

import hashlib
import math
import os
import socket
import subprocess
import threading
import time

from ndks.exceptions import CheckFailed
from ndks_laboratory import times

_CHUNK = 1 << 16  # bytes


class Download:
    """curl, which fetches a file; it writes to a disk that takes `rate` bytes a second. `octets` have come so far.

    curl's own limit makes up for lost time: what was held up would come in one burst, too fast for a tap.
    """

    def __init__(self, url: str, rate: float = math.inf) -> None:
        self.octets = 0
        self.start = b""  # of the contents
        self._rate = rate
        self._hash = hashlib.sha256()
        command = ["curl", "--silent", "--show-error", "--fail", url]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def finish(self) -> str:
        """Wait for its end, and return the SHA-256 of what came, in hex. CheckFailed."""
        self._reading.join(times.NETWORK)
        self._process.kill()  # has no effect if it has ended
        if self._process.wait():
            assert self._process.stderr
            problem = self._process.stderr.read().decode(errors="replace").strip()
            raise CheckFailed(f"curl has fetched {self.octets} bytes only: {problem}")
        return self._hash.hexdigest()

    def _read(self) -> None:
        assert self._process.stdout
        while data := os.read(self._process.stdout.fileno(), _CHUNK):
            self.start = self.start or data
            self._hash.update(data)
            self.octets += len(data)
            time.sleep(len(data) / self._rate)


class Session:
    """Lines that are typed and answered one by one; `waits` has how long each answer took, in seconds."""

    def __init__(self, port: int) -> None:
        self.waits: list[float] = []
        self._socket = socket.create_connection(("127.0.0.1", port), times.NETWORK)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def type(self, line: str) -> None:
        self._socket.sendall(line.encode() + b"\n")

    def answer(self) -> str:
        """Return the server's next line, without its line end; empty: the server has ended."""
        return self._answers.readline().decode().rstrip("\n")

    def says(self, line: str) -> str:
        """Type a line, and return its answer."""
        began = time.perf_counter()
        self.type(line)
        answer = self.answer()
        self.waits.append(time.perf_counter() - began)
        return answer

    def close(self) -> None:
        self._answers.close()
        self._socket.close()
