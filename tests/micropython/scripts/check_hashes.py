# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of SHA-256 against RFC 6234, and of HKDF as the project composes it from `Mac` against RFC 5869."""

from harness import expect, run
from memory_board import MemoryBoard

from ndks_protocol.kdf import Mac

_board = MemoryBoard()


def check_sha256(case: dict) -> None:
    digest = _board.sha256()
    text = case["text"].encode()
    for _ in range(case["times"]):
        digest.update(text)
    expect(digest.digest(), bytes.fromhex(case["digest"]))


def check_hkdf(case: dict) -> None:
    ikm, salt, info, prk, okm = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info", "prk", "okm"))
    expect(Mac(_board, salt).digest(ikm), prk)
    expand = Mac(_board, prk)
    block = made = b""
    for number in range(1, 3):
        block = expand.digest(block, info, bytes([number]))
        made += block
    expect(made[: len(okm)], okm)


run({"sha256": check_sha256, "hkdf": check_hkdf})
