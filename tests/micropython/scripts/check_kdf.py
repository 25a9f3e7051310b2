# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check of HMAC-SHA256 against RFC 4231, section 4; keys longer than a block are refused."""

from harness import expect, expect_value_error, run
from memory_board import MemoryBoard

from ndks_protocol.kdf import Mac

_board = MemoryBoard()


def check_hmac(case: dict) -> None:
    expected = bytes.fromhex(case["hmac"])
    # One case of the RFC is truncated.
    mac = Mac(_board, bytes.fromhex(case["key"]))
    expect(mac.digest(bytes.fromhex(case["data"]))[: len(expected)], expected)


def check_long_key(case: dict) -> None:
    expect_value_error(Mac, _board, bytes.fromhex(case["key"]))


run({"hmac": check_hmac, "long_key": check_long_key})
