# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Search for secrets in memory contents, whole or in pieces, in the usual forms of storage.

Pieces have 8 bytes: the chance that megabytes of random bytes contain one of some thousand pieces is below 2^-30.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping

PIECE = 8  # bytes
_DIGITS = 12  # of a decimal: the firmware's tables of digits contain shorter ones by chance
DECIMALS = ("p1", "p2")  # secrets that are decimals in ASCII
_SHORTEST = 6  # bytes of a form shorter than a piece, which is searched for as a whole
_DISTINCT = 4  # least number of different bytes in a piece: zeros and the like are everywhere


def found_in(contents: Iterable[bytes], secrets: Mapping[str, bytes]) -> list[str]:
    """Return the names of the secrets that have a piece in one of the contents."""
    kept = list(contents)
    return [name for name, forms in _forms(secrets) if any(_is_in(content, form) for form in forms for content in kept)]


def _forms(secrets: Mapping[str, bytes]) -> Iterator[tuple[str, list[tuple[bytes, int]]]]:
    """Yield the name of each secret, with its forms and the size of their pieces."""
    for name, secret in secrets.items():
        if name in DECIMALS:
            forms = _decimal_forms(secret)
        else:
            forms = [(secret, PIECE), (secret[::-1], PIECE)]
            forms += [(text.encode(), 2 * PIECE) for text in (secret.hex(), secret.hex().upper())]
            forms += [(str(int.from_bytes(secret, order)).encode(), 2 * PIECE) for order in ("big", "little")]
        yield name, forms
    if all(name in secrets for name in DECIMALS):  # both together may be long enough where each alone is too short
        p1, p2 = (secrets[name] for name in DECIMALS)
        with_sizes = bytes([len(p1)]) + p1 + bytes([len(p2)]) + p2
        yield "p1 beside p2", [(text, len(text)) for text in (with_sizes, p1 + b" " + p2, p1 + b"\0" + p2)]


def _decimal_forms(text: bytes) -> list[tuple[bytes, int]]:
    """Return a decimal as text, as digits of one byte and of half a byte, and as a floating-point number."""
    double = [(struct.pack(order + "d", float(text)), 8) for order in "<>"]
    digits = [int(digit) for digit in text.decode() if digit.isdigit()]
    if len(digits) < _DIGITS:
        return [*double, *((each, len(text)) for each in (text, text[::-1]) if b"." in text)]
    text = text.lstrip(b"-")
    decimals = text.partition(b".")[2]
    texts = [(text, _DIGITS + 1)] + [(decimals, _DIGITS)] * (len(decimals) >= _DIGITS)  # the whole, and the decimals
    pairs = [high << 4 | low for high, low in zip(digits[0::2], digits[1::2], strict=False)]
    shifted = [high << 4 | low for high, low in zip(digits[1::2], digits[2::2], strict=False)]
    texts += [(each[::-1], size) for each, size in texts]
    return [*texts, (bytes(digits), _DIGITS), (bytes(pairs), PIECE), (bytes(shifted), PIECE), *double]


def _is_in(content: bytes, form: tuple[bytes, int]) -> bool:
    secret, size = form
    size = min(size, len(secret))
    pieces = {secret[start : start + size] for start in range(len(secret) - size + 1)}
    return any(piece in content for piece in pieces if size >= _SHORTEST and len(set(piece)) >= _DISTINCT)
