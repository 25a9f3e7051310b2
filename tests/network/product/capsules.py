# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the simulator knows of the product's capsules: bytes, with what honest units or thieves put into them."""

from hashlib import sha256
from typing import Any

from ndks_protocol.wire import HOUSEKEEPING, MESSAGE, OF_CONTROL

from ..model.capsules import Box, Head
from ..world.interface import Sight

KINDS = {0: "data", OF_CONTROL: "control", HOUSEKEEPING: "housekeeping", MESSAGE: "message"}
NUMBERS = {name: number for number, name in KINDS.items()}
_WORDS = {b"\1": "report", b"\2": "voucher", b"\3": "ask"}
_NUMBER = 6  # bytes of s


class Capsules:
    """All capsules of a world. `boxes`: as the model's units know them; `sights`: those of honest units."""

    def __init__(self) -> None:
        self.boxes: dict[bytes, Box] = {}
        self.sights: dict[bytes, Sight] = {}

    def see(self, capsule: bytes, generation: bytes, key: bytes, head: Head, data: Any) -> Sight:
        """Note what an honest unit sealed."""
        kind, s = word_of(head.kind, data)
        place = head.lane, head.n, head.number
        sight = Sight(kind, generation, key, *place, s, (kind, data), sha256(capsule).digest()[:16])
        self.sights[capsule] = sight
        return sight


def word_of(kind: str, data: Any) -> tuple[str, int]:
    """Return what a capsule says, and the number of a message."""
    if kind == "control":
        return "beacon", 0
    if kind == "message":
        return kind, int.from_bytes(data[:_NUMBER])
    return (_WORDS.get(data[:1], kind), 0) if kind == "housekeeping" else (kind, 0)
