# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of packing and unpacking; invalid input raises ValueError. Bytes are in hex."""

from harness import expect, expect_value_error, run

from ndks_protocol import fields


def check_fitting(case: dict) -> None:
    payload, values = bytes.fromhex(case["payload"]), _values(case)
    expect(fields.pack(case["fields"], *values), payload)
    expect(fields.unpack(case["fields"], payload), tuple(values))
    if not case["fields"].endswith("*"):
        expect(fields.unpack(case["fields"], payload + b"\0", allow_more=True), tuple(values))


def check_refused_values(case: dict) -> None:
    try:
        got = fields.pack(case["fields"], *_values(case))
    except Exception:  # the error of `struct` is another one on each platform
        return
    raise AssertionError(f"got {got!r}, expected an exception")


def check_refused_payload(case: dict) -> None:
    expect_value_error(fields.unpack, case["fields"], bytes.fromhex(case["payload"]))


def _values(case: dict) -> list:
    """Return the values of a case; bytes are in a list of their own, in hex."""
    return [bytes.fromhex(value[0]) if isinstance(value, list) else value for value in case["values"]]


run({"fits": check_fitting, "pack_error": check_refused_values, "unpack_error": check_refused_payload})
