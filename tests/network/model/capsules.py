# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Real keys (HMAC-SHA256), and symbolic capsules: a box opens for exactly those who hold its keys (Dolev-Yao)."""

import hmac
from collections import Counter
from functools import lru_cache
from itertools import count
from typing import Any, ClassVar, NamedTuple

from .rules import holds

_identity = count(1)


def derive(key: bytes, label: str) -> bytes:
    return hmac.digest(key, label.encode() + b"\0", "sha256")


@lru_cache(1 << 16)  # a unit keeps the present key in RAM
def forward(key: bytes, label: str, steps: int) -> bytes:
    """Return the key after so many steps of a ratchet."""
    for _ in range(steps):
        key = derive(key, label)
    return key


def epoch_key(secret: bytes, steps: int) -> bytes:
    return forward(secret, "ndks renew", steps)


def later_member_key(key: bytes, steps: int) -> bytes:
    return forward(key, "ndks member next", steps if holds("member key steps") else 0)


def member_key(root: bytes, lane: int, g: int) -> bytes:
    """Return M(lane, g): what the notice of generation g to this lane is sealed under."""
    first = hmac.digest(root, b"ndks member\0" + lane.to_bytes(2, "big"), "sha256")
    return later_member_key(first, g)


def hint_of(key: bytes) -> bytes:
    return derive(key, "ndks hint")[:4]


def header_key_of(secret: bytes) -> bytes:
    """Return what stands for the two header keys of a generation, or of a notice."""
    return derive(secret, "ndks header mac")


class Refused(Exception):
    """An error answer of a unit, by the name of its code."""

    seen: ClassVar["Counter[str]"] = Counter()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        Refused.seen[name] += 1


class Head(NamedTuple):
    """What a header says under its mask."""

    kind: str  # data, control, housekeeping or message
    lane: int
    n: int
    number: int  # of the epoch; 0 in control


class Box:
    """A capsule. `digest` stands for the SHA-256 of its bytes; `size` is what it takes on the wire."""

    __slots__ = ("body", "digest", "head", "header_key", "key", "size")

    def __init__(self, header_key: bytes, head: Head, key: bytes, body: Any, data_size: int) -> None:
        self.header_key, self.head, self.key, self.body = header_key, head, key, body
        self.size = sealed_size(data_size)
        self.digest = next(_identity)

    def opened(self, key: bytes) -> Any:
        """Return the body. Refused(AUTH): another key."""
        if key != self.key:
            raise Refused("AUTH")
        return self.body


def sealed_size(data: int) -> int:
    """Return the size of a capsule: 37 header, 8 sync, 8 check, 16 for the tag of each chunk."""
    return 37 + 16 + data + 16 * -(-(16 + data) // 1024)
