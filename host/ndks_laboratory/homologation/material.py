# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Data for the adversaries, and the oracle, both read from the units through the protocol."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

import ndks
from ndks_laboratory.stages.regular_channel import Carried
from ndks_laboratory.stages.sides import Side
from ndks_protocol.capsule import CHECK_SIZE, CHUNK, SYNC_SIZE, TAG_SIZE
from ndks_protocol.commands import MAX_NUMBER, WIRE_HEADER_SIZE

from .adversaries.autocorrelation import bits_for
from .attack import Bits, Intercepted, Seen
from .plan import HomologationPlan

KEY_BITS = 1024  # of each key for the adversaries

Tell = Callable[[int], object]


class TextOracle:
    """Knows the texts of all messages, by number."""

    def __init__(self, texts: Mapping[int, bytes]) -> None:
        self._texts = texts

    def compare_text(self, number: int, text: bytes) -> bool:
        """Return whether this is the text of a message."""
        return self._texts.get(number) == text


class UnitOracle(TextOracle):
    """Reads the hidden key bits from a unit."""

    def __init__(self, side: Side, texts: Mapping[int, bytes]) -> None:
        super().__init__(texts)
        self._side = side

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        """Return the number of correct bits."""
        if not 1 <= index <= MAX_NUMBER or first < 0:
            return None
        start = first // 8
        with ndks.open(self._side.port, bindings=self._side.bindings) as unit:
            data = b"".join(unit.stream_key(index, first + len(bits), offset=start))
        return int(np.count_nonzero(unpack(data)[first - 8 * start :][: len(bits)] == bits))


def unpack(data: bytes | bytearray) -> Bits:
    """Return an array with one element per key bit."""
    return np.unpackbits(np.frombuffer(bytes(data), np.uint8))


def ciphertext_of(capsule: bytes) -> bytes:
    """Return the encrypted text in a capsule, whose position is public (PROTOCOL.md section 4)."""
    body = capsule[WIRE_HEADER_SIZE:]
    size = CHUNK + TAG_SIZE
    chunks = (body[at : at + size][:-TAG_SIZE] for at in range(0, len(body), size))
    return b"".join(chunks)[SYNC_SIZE:-CHECK_SIZE]


def intercepted(carried: Iterable[Carried]) -> tuple[Intercepted, ...]:
    """Return the messages with cipher `vernam` on the line; adversaries are assumed to know the cipher."""
    return tuple(
        Intercepted(c.letter.number, ciphertext_of(c.capsule), 8 * SYNC_SIZE)
        for c in carried
        if c.letter.cipher == "vernam"
    )


def gather(side: Side, plan: HomologationPlan, carried: Sequence[Carried], tell: Tell) -> Seen:
    """Read the beginnings of keys 1, 2, 3 ... and a long beginning of the next key from a unit."""
    keys, digits = plan.sample.keys, plan.network.digits
    long_bits = max(plan.sample.long_bits, bits_for(digits))
    with ndks.open(side.port, bindings=side.bindings) as unit:
        rows: list[Bits] = []
        for index in range(1, keys + 1):
            rows.append(unpack(unit.key(index, KEY_BITS, epoch=0).data))
            tell(1)
        long_key = unpack(unit.key(keys + 1, long_bits, epoch=0).data)[:long_bits]
    return Seen(digits, np.stack(rows), long_key, intercepted(carried), seed=plan.seed)
