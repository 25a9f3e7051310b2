# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which key two sites have at a time, so that neither has to tell the other.

Keys are numbered by the clock: the number is the time since 1970 divided by the interval. A site that was away goes on
with the present number.
"""

from dataclasses import dataclass, field

from ndks.crypto import CRYPTO
from ndks_protocol.kdf import derive

SIZE = 32  # bytes of a key, and of its place in the exported key
_PLACES = 1 << 29  # after which they come again: in 17 years, if each second has a key


@dataclass(frozen=True, slots=True)
class Step:
    """The key of number `number` in an epoch."""

    epoch: int
    number: int

    @property
    def label(self) -> str:
        """A name for it, which says nothing of the key: GENERATION.EPOCH.NUMBER."""
        return f"{self.epoch >> 16}.{self.epoch & 0xFFFF}.{self.number}"


@dataclass(frozen=True, slots=True)
class Given:
    """A key that a consumer is to use, of 32 bytes."""

    step: Step
    key: bytes = field(repr=False)


def number_at(now: float, every: int) -> int:
    """Return the number of the key at a time, both in seconds."""
    return int(now // every)


def offset_of(number: int) -> int:
    """Return where the bytes of a number begin in the exported key `ranges.NAMED` of an epoch."""
    return number % _PLACES * SIZE


def key_of(exported: bytes, name: str) -> bytes:
    """Return the key that both sites call `name`, from the bytes of its number."""
    return derive(CRYPTO, exported, "ndks psk", name.encode())
