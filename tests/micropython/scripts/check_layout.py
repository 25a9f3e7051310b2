# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of packing and unpacking; invalid input raises ValueError. Bytes are in hex."""

from harness import expect, expect_value_error, run

from ndks_protocol.layout import Layout


def check_fitting(case: dict) -> None:
    layout = Layout(case["layout"])
    payload = bytes.fromhex(case["payload"])
    expect(layout.pack(*_values(layout, case["values"])), payload)
    expect(layout.unpack(payload), tuple(_values(layout, case["values"])))
    if not case["layout"].endswith("rest"):
        expect(layout.unpack(payload + b"\0", allow_more=True), layout.unpack(payload))


def check_refused_values(case: dict) -> None:
    layout = Layout(case["layout"])
    expect_value_error(layout.pack, *_values(layout, case["values"]))


def check_refused_payload(case: dict) -> None:
    expect_value_error(Layout(case["layout"]).unpack, bytes.fromhex(case["payload"]))


def _values(layout: Layout, written: list) -> list:
    values = []
    for i in range(len(written)):
        kind = layout.kinds[i] if i < len(layout.kinds) else "u8"
        is_bytes = kind == "rest" or kind[0] == "b"
        values.append(bytes.fromhex(written[i]) if is_bytes else written[i])
    return values


run({"fits": check_fitting, "pack_error": check_refused_values, "unpack_error": check_refused_payload})
