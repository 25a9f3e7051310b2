# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""X25519 as RFC 7748, section 5, writes it, and the published points of low order: nothing of the project is imported.

It is used instead of `cryptography` because that computes no zero secret, which the vectors need.
"""

P = 2**255 - 19
A24 = 121665
BITS = 255
BASE_POINT = (9).to_bytes(32, "little")
# The coordinates of order 1, 2, 4 and 8, on the curve and on its twist, and their non-canonical forms below 2^255
# (https://cr.yp.to/ecdh.html, "Curve25519 requires you to validate public keys?").
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_ORDER = tuple(u.to_bytes(32, "little") for u in (0, 1, *ORDER_8, P - 1, P, P + 1))


def decode_scalar(scalar: bytes) -> int:
    octets = bytearray(scalar)
    octets[0] &= 248
    octets[31] &= 127
    octets[31] |= 64
    return int.from_bytes(octets, "little")


def decode_coordinate(u: bytes) -> int:
    return int.from_bytes(u[:31] + bytes([u[31] & 127]), "little") % P


def x25519(scalar: bytes, u: bytes) -> bytes:
    k, x_1 = decode_scalar(scalar), decode_coordinate(u)
    x_2, z_2, x_3, z_3, swap = 1, 0, x_1, 1, 0
    for t in reversed(range(BITS)):
        k_t = k >> t & 1
        if swap ^ k_t:
            x_2, x_3, z_2, z_3 = x_3, x_2, z_3, z_2
        swap = k_t
        a, b = x_2 + z_2, x_2 - z_2
        aa, bb = a * a, b * b
        e = aa - bb
        da, cb = (x_3 - z_3) * a, (x_3 + z_3) * b
        x_3, z_3 = (da + cb) ** 2 % P, x_1 * (da - cb) ** 2 % P
        x_2, z_2 = aa * bb % P, e * (aa + A24 * e) % P
    if swap:
        x_2, z_2 = x_3, z_3
    return (x_2 * pow(z_2, P - 2, P) % P).to_bytes(32, "little")


def public_key(scalar: bytes) -> bytes:
    return x25519(scalar, BASE_POINT)
