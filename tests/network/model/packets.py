# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What hosts publish beside capsules: bundles, and asks for them."""

from typing import NamedTuple

from .capsules import Box

NO_GENERATION = -1  # FFFF on the wire


class Signature(NamedTuple):
    """Ed25519, symbolic: only who has the root makes one, and all who know `public` check it."""

    public: bytes
    content: tuple[object, ...]


class Bundle(NamedTuple):
    """A notice for each member, and the administrators' record."""

    g: int
    previous: int
    notices: tuple[tuple[bytes, Box], ...]  # with the hint by which a host finds its own
    record: Box
    signature: Signature | None

    @property
    def size(self) -> int:
        return 72 + self.record.size + sum(4 + box.size for _, box in self.notices)

    @property
    def content(self) -> tuple[object, ...]:
        """What is signed."""
        notices = tuple((hint, box.digest) for hint, box in self.notices)
        return self.g, self.previous, notices, self.record.digest

    def is_signed(self, public: bytes) -> bool:
        return self.signature == Signature(public, self.content)

    def notices_for(self, hint: bytes) -> list[Box]:
        return [box for other, box in self.notices if other == hint]


class Ask(NamedTuple):
    """Send me what is later."""

    g: int
    size: int = 3


Packet = Box | Bundle | Ask
