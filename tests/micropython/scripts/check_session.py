# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of sessions.json and bindings.json: key agreement, transcripts, proofs, secured frames at both ends, binding
keys."""

from harness import expect, expect_value_error, run
from memory_board import MemoryBoard

from ndks_protocol.binding import BindingKeys
from ndks_protocol.session import HOST, OVERHEAD, SYNC_SIZE, UNIT, SecureChannel, proof, session_key, transcript
from ndks_unit import on_demand

# As a unit does: a release build has them in files of their own
_curve, _x25519 = on_demand.load("ndks_protocol.curve25519", "ndks_protocol.x25519")
_board = MemoryBoard()


def check_session(case: dict) -> None:
    host_share, unit_share = bytes.fromhex(case["Eh"] + case["Rh"]), bytes.fromhex(case["Eu"] + case["Ru"])
    transcript_hash = transcript(_board, bytes.fromhex(case["hello"]), host_share, unit_share)
    expect(transcript_hash, bytes.fromhex(case["TH"]))
    auth = bytes.fromhex(case["A"]) if case["A"] else None
    key = session_key(_board, auth, _agreed(case), transcript_hash)
    expect(bytes(key), bytes.fromhex(case["S"]))
    expect(proof(_board, key, UNIT, transcript_hash), bytes.fromhex(case["unit_proof"]))
    expect(proof(_board, key, HOST, transcript_hash), bytes.fromhex(case["host_proof"]))
    host, unit = (SecureChannel(_board, key, transcript_hash, who) for who in (HOST, UNIT))
    _check_frames(case["h2u"], host, unit)
    _check_frames(case["u2h"], unit, host)


def _agreed(case: dict) -> bytes:
    """Return the secret that both ends compute."""
    for private, public in (("host_private", "Eu"), ("unit_private", "Eh")):
        if private not in case:
            continue  # its public key is made of no private key
        shared = _shared(bytes.fromhex(case[private]), bytes.fromhex(case[public]))
        expect(shared, bytes.fromhex(case["z"]))
    return shared


def _shared(private: bytes, public: bytes) -> bytes:
    return _curve.in_one_call(_x25519.Ladder(private, public, _board.entropy(32)), _board.feed_watchdog)


def check_low_order(public: str) -> None:
    expect_value_error(_shared, bytes(range(32)), bytes.fromhex(public))


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


run({"session": check_session, "low_order": check_low_order, "binding": check_binding})
