# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of frames.json: encoding, decoding at once and byte by byte with one decoder, error reasons."""

from harness import expect, run

from ndks_protocol import framing

_decoder = framing.Decoder()

# The frame after an invalid one is received.
_FOLLOWING = (0x81, 7, "00ff")
_FOLLOWING_WIRE = framing.encode(0x81, 7, b"\x00\xff")


def check_encoding(case: dict) -> None:
    wire = framing.encode(case["kind"], case["request_id"], bytes.fromhex(case["payload"]))
    expect(wire, bytes.fromhex(case["wire"]))


def check_decoding(case: dict) -> None:
    wire = bytes.fromhex(case["wire"])
    for events in (_decoder.feed(wire), _feed_byte_by_byte(wire)):
        expect([_describe(event) for event in events], [(case["kind"], case["request_id"], case["payload"])])


def check_dropping(case: dict) -> None:
    wire = bytes.fromhex(case["wire"]) + _FOLLOWING_WIRE
    for events in (_decoder.feed(wire), _feed_byte_by_byte(wire)):
        expect([_describe(event) for event in events], [case["why"], _FOLLOWING])


def _feed_byte_by_byte(wire: bytes) -> list:
    events = []
    for i in range(len(wire)):
        events += _decoder.feed(wire[i : i + 1])
    return events


def _describe(event):
    if isinstance(event, framing.FrameError):
        return event.reason
    return event.kind, event.request_id, event.payload.hex()


run({"encode": check_encoding, "decode": check_decoding, "drop": check_dropping})
