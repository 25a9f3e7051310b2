# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Key bits as text of ones and zeros, as the paper prints them, whole or in blocks."""

from collections.abc import Iterable, Iterator

RAW, BITS = FORMATS = "raw", "bits"  # packed bytes, element 0 first; ones and zeros, and a line feed at the end

_BITS_OF_BYTE = [f"{byte:08b}" for byte in range(256)]


def bit_text(data: bytes, bits: int) -> str:
    """Return `bits` characters, each 0 or 1."""
    return "".join([_BITS_OF_BYTE[byte] for byte in data])[:bits]


def encoded(blocks: Iterable[bytes], bits: int, form: str) -> Iterator[bytes]:
    """Yield a block of output for each block of the last `bits` bits of a key; its end comes with the last block."""
    for block in blocks:
        here = min(bits, 8 * len(block))
        bits -= here
        yield block if form == RAW else bit_text(block, here).encode() + (b"" if bits else b"\n")


def key_bytes(size: int, bits: int, form: str) -> int:
    """Return how many bytes of a key of `bits` bits are in `size` bytes of output, which end between two blocks."""
    return size if form == RAW else -(-min(size, bits) // 8)
