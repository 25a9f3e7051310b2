# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A file of packets: "ndks packets 1" and a line feed | count x (size u32 || packet) | SHA-256 of all before it."""

import itertools
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from .carrier import LARGEST, WAITING

MAGIC = b"ndks packets 1\n"
FILL = 1 << 20  # bytes of packets after which another file begins
_LARGEST_FILE = FILL + LARGEST  # bytes of a file that is read
_SIZE = 4  # bytes of the size of a packet
_DIGEST = 32
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe may never get a writer


def content_of(path: Path) -> bytes:
    """Return the bytes of a file. ValueError: it is too large, or not a file; OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError
    with os.fdopen(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
        content = file.read(_LARGEST_FILE + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    if len(content) > _LARGEST_FILE:
        raise ValueError
    return content


def packed(packets: list[bytes]) -> bytes:
    """Return the content of a file with these packets."""
    content = MAGIC + b"".join(len(packet).to_bytes(_SIZE) + packet for packet in packets)
    return content + sha256(content).digest()


def unpacked(content: bytes) -> list[bytes]:
    """Return the packets of a file. ValueError: it is not whole, or has more packets than anybody writes."""
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if not body.startswith(MAGIC) or sha256(body).digest() != digest:
        raise ValueError
    packets = list(itertools.islice(_split(body[len(MAGIC) :]), WAITING + 1))
    if len(packets) > WAITING:
        raise ValueError
    return packets


def _split(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        size = int.from_bytes(body[start : start + _SIZE])
        start += _SIZE
        if start + size > len(body):
            raise ValueError
        yield body[start : start + size]
        start += size
