# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ed25519 as RFC 8032, section 5.1, writes it, on the points of edwards_reference: nothing of the project is imported.

Affine points make it slow, some 10 ms a signature, and short.
"""

import hashlib

from edwards_reference import BASE_POINT, D, P, Point

L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
NEUTRAL = Point(0, 1)
SIGNATURE_SIZE = 64


def multiplied(scalar: int, point: Point) -> Point:
    product = NEUTRAL
    for bit in f"{scalar:b}":
        product = product.plus(product)
        if bit == "1":
            product = product.plus(point)
    return product


def encoded(point: Point) -> bytes:
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes) -> Point | None:
    """Return the point with this encoding, or None (section 5.1.3)."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    return Point(P - x if x & 1 != sign else x, y)


def _expanded(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & (1 << 254) - 8 | 1 << 254, digest[32:]


def public_half(seed: bytes) -> bytes:
    return encoded(multiplied(_expanded(seed)[0], BASE_POINT))


def signature(seed: bytes, message: bytes) -> bytes:
    scalar, prefix = _expanded(seed)
    r = _number(prefix + message)
    point = encoded(multiplied(r, BASE_POINT))
    k = _number(point + public_half(seed) + message)
    return point + ((r + k * scalar) % L).to_bytes(32, "little")


def is_signed(public: bytes, message: bytes, signed: bytes) -> bool:
    """Return whether [8][s]B = [8]R + [8][k]A."""
    point, key, s = decoded(signed[:32]), decoded(public), int.from_bytes(signed[32:], "little")
    if point is None or key is None or s >= L or len(signed) != SIGNATURE_SIZE:
        return False
    k = _number(signed[:32] + public + message)
    return multiplied(8 * s, BASE_POINT) == multiplied(8, point.plus(multiplied(k, key)))


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % L
