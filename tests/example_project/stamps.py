# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stamps for texts: HMAC-SHA256 under a key that only units of one network give.

python stamps.py TEXT          prints the number of the key and the stamp
"""

import hmac
import sys
from typing import NamedTuple

import ndks


class Stamp(NamedTuple):
    index: int  # of the key
    tag: str


def stamped(unit: ndks.Unit, text: str) -> Stamp:
    """Stamp a text with the next key of a unit."""
    key = unit.next_key(256)
    return Stamp(key.index, _tag(key.data, text))


def is_genuine(unit: ndks.Unit, text: str, stamp: Stamp) -> bool:
    """Say whether a unit of the same network has made the stamp."""
    key = unit.key(stamp.index, 256)
    return hmac.compare_digest(_tag(key.data, text), stamp.tag)


def _tag(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def main(text: str) -> int:
    try:
        with ndks.open() as unit:
            print(*stamped(unit, text))
    except ndks.NdksError as error:
        print(f"stamps: {error}; {error.advice}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
