# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of sessions.json and bindings.json: transcripts, proofs, secured frames at both ends, binding keys."""

from harness import expect, run
from memory_board import MemoryBoard

from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel, proof, transcript

_board = MemoryBoard()


def check_session(case: dict) -> None:
    auth, hello = bytes.fromhex(case["A"]), bytes.fromhex(case["hello"])
    transcript_hash = transcript(_board, hello, bytes.fromhex(case["Rh"]), bytes.fromhex(case["Ru"]))
    expect(transcript_hash, bytes.fromhex(case["TH"]))
    expect(proof(_board, auth, UNIT, transcript_hash), bytes.fromhex(case["unit_proof"]))
    expect(proof(_board, auth, HOST, transcript_hash), bytes.fromhex(case["host_proof"]))
    host, unit = (SecureChannel(_board, auth, transcript_hash, who) for who in (HOST, UNIT))
    _check_frames(case["h2u"], host, unit)
    _check_frames(case["u2h"], unit, host)


def _check_frames(frames: list, sender: SecureChannel, receiver: SecureChannel) -> None:
    for frame in frames:
        kind, request_id, body = frame["kind"], frame["request_id"], bytes.fromhex(frame["body"])
        view = memoryview(bytearray(len(body) + OVERHEAD))
        view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
        size = sender.seal(kind, request_id, view, len(body))
        expect(bytes(view[:size]), bytes.fromhex(frame["payload"]))
        altered = bytearray(view[:size])
        altered[size // 2] ^= 1
        expect(receiver.open(kind, request_id, memoryview(altered)), None)
        expect(bytes(receiver.open(kind, request_id, view[:size])), body)


def check_binding(case: dict) -> None:
    keys = BindingKeys(_board, bytes.fromhex(case["B"]))
    expect(keys.auth, bytes.fromhex(case["A"]))
    expect(keys.kek, bytes.fromhex(case["KEK"]))
    expect(keys.id, bytes.fromhex(case["id"]))


run({"session": check_session, "binding": check_binding})
