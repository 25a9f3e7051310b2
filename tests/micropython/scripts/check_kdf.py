# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""HMAC-SHA256 against RFC 4231, section 4; its keys of more than a block are refused."""

import hashlib

from harness import expect, expect_value_error, run

from ndks_protocol.kdf import Mac


def check_hmac(case: dict) -> None:
    expected = bytes.fromhex(case["hmac"])
    # The RFC gives one of them cut short.
    mac = Mac(hashlib, bytes.fromhex(case["key"]))
    expect(mac.digest(bytes.fromhex(case["data"]))[: len(expected)], expected)


def check_long_key(case: dict) -> None:
    expect_value_error(Mac, hashlib, bytes.fromhex(case["key"]))


run({"hmac": check_hmac, "long_key": check_long_key})
