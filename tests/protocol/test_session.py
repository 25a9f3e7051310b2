# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of sessions: golden vectors, and both ends against an independent implementation; only the next frame opens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_reference import Direction, Session
from support.reference import load_vectors

from ndks_protocol import framing
from ndks_protocol.curve25519 import LowOrderPoint, in_one_call
from ndks_protocol.public_key import PublicKey
from ndks_protocol.session import (
    HOST,
    OVERHEAD,
    SYNC_SIZE,
    TAG_SIZE,
    UNIT,
    SecureChannel,
    proof,
    session_key,
    transcript,
)
from ndks_protocol.x25519 import Ladder
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("sessions")
SESSIONS = VECTORS["sessions"]
SUITE = load_vectors("suite")
SUITE_SESSIONS = SUITE["session"], SUITE["anonymous_session"]
BLIND = bytes(range(32))
MAX_BODY = framing.MAX_PAYLOAD - OVERHEAD
KEY, TRANSCRIPT = bytes(range(32)), bytes(range(32, 64))
MARGIN = b"\xa5" * 40

kinds, ids = st.integers(0, 255), st.integers(0, 2**32 - 1)
bodies = st.binary(max_size=80) | st.integers(0, MAX_BODY).map(lambda size: bytes(i % 251 for i in range(size)))
frames = st.tuples(kinds, ids, bodies)
ends = st.sampled_from([HOST, UNIT])


def channel(who: str, key: bytes = KEY, transcript_hash: bytes = TRANSCRIPT) -> SecureChannel:
    return SecureChannel(CRYPTO, key, transcript_hash, who)


def other(who: str) -> str:
    return UNIT if who == HOST else HOST


def reference(sender: str) -> Direction:
    return Direction(KEY, "h2u" if sender == HOST else "u2h", TRANSCRIPT)


def seal(end: SecureChannel, kind: int, request_id: int, body: bytes) -> bytes:
    """Seal in the middle of a larger buffer; only the room of the payload may change."""
    start, stop = len(MARGIN), len(MARGIN) + len(body) + OVERHEAD
    buffer = bytearray(MARGIN + bytes(SYNC_SIZE) + body + bytes(TAG_SIZE) + MARGIN)
    assert end.seal(kind, request_id, memoryview(buffer)[start:], len(body)) == stop - start
    assert (buffer[:start], buffer[stop:]) == (MARGIN, MARGIN)
    return bytes(buffer[start:stop])


def opened(end: SecureChannel, kind: int, request_id: int, payload: bytes) -> "bytes | None":
    """Open in place, in the middle of a larger buffer; return None if it is not the next frame."""
    start, stop = len(MARGIN), len(MARGIN) + len(payload)
    buffer = bytearray(MARGIN + payload + MARGIN)
    body = end.open(kind, request_id, memoryview(buffer)[start:stop])
    assert (buffer[:start], buffer[stop:]) == (MARGIN, MARGIN)
    if body is None:
        return None
    assert body == buffer[start + SYNC_SIZE : stop - TAG_SIZE]  # not a copy
    return bytes(body)


def keys_of(vector: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return transcript hash and session key of a published session, which must be equal to the published ones."""
    hello, host_public, host_random, unit_public, unit_random, unit_private = (
        bytes.fromhex(vector[name]) for name in ("hello", "Eh", "Rh", "Eu", "Ru", "unit_private")
    )
    shared = in_one_call(Ladder(unit_private, host_public, BLIND), lambda: None)
    assert shared.hex() == vector["z"]
    transcript_hash = transcript(CRYPTO, hello, host_public + host_random, unit_public + unit_random)
    assert transcript_hash.hex() == vector["TH"]
    auth = bytes.fromhex(vector["A"]) if vector["A"] else None
    key = bytes(session_key(CRYPTO, auth, shared, transcript_hash))
    assert key.hex() == vector["S"]
    assert proof(CRYPTO, key, UNIT, transcript_hash).hex() == vector["unit_proof"]
    assert proof(CRYPTO, key, HOST, transcript_hash).hex() == vector["host_proof"]
    return transcript_hash, key


@pytest.mark.parametrize("vector", SESSIONS)
def test_published_sessions(vector: dict[str, Any]) -> None:
    transcript_hash, key = keys_of(vector)
    host, unit = channel(HOST, key, transcript_hash), channel(UNIT, key, transcript_hash)
    for sent, sender, receiver in ((vector["h2u"], host, unit), (vector["u2h"], unit, host)):
        for frame in sent:
            body = bytes.fromhex(frame["body"])
            payload = seal(sender, frame["kind"], frame["request_id"], body)
            assert payload.hex() == frame["payload"]
            assert opened(receiver, frame["kind"], frame["request_id"], payload) == body


@pytest.mark.parametrize("vector", [*SESSIONS, *SUITE_SESSIONS])
def test_published_key_pairs(vector: dict[str, Any]) -> None:
    pairs = [
        (vector[private], vector[public])
        for private, public in (("host_private", "Eh"), ("unit_private", "Eu"))
        if private in vector
    ]
    assert pairs
    for private, public in pairs:
        assert in_one_call(PublicKey(bytes.fromhex(private), BLIND), lambda: None).hex() == public


@pytest.mark.parametrize("public", VECTORS["low_order"])
def test_published_public_keys_of_low_order(public: str) -> None:
    with pytest.raises(LowOrderPoint):
        in_one_call(Ladder(bytes(range(32)), bytes.fromhex(public), BLIND), lambda: None)


def test_published_sessions_of_all_kinds() -> None:
    """With a binding and without; with public keys that are canonical, and others, which the transcript has as sent."""
    assert {vector["A"] is None for vector in SESSIONS} == {True, False}
    others = [bytes.fromhex(vector["Eh"]) for vector in SESSIONS if "host_private" not in vector]
    assert len({public[31] >> 7 for public in others}) == 2


def test_the_published_bodies_have_all_sizes_about_which_there_could_be_doubt() -> None:
    sizes = {len(frame["body"]) // 2 for frame in SESSIONS[3]["h2u"]}
    assert sizes >= {0, 1, 8, 24, 64, 256, MAX_BODY}
    assert all(len(frame["payload"]) // 2 <= framing.MAX_PAYLOAD for frame in SESSIONS[3]["h2u"])


@pytest.mark.parametrize("vector", SUITE_SESSIONS, ids=["bound", "anonymous"])
def test_the_session_of_another_implementation(vector: dict[str, Any]) -> None:
    transcript_hash, key = keys_of(vector)
    frame = vector["secured_frame"]
    payload = seal(channel(HOST, key, transcript_hash), frame["kind"], frame["request"], bytes.fromhex(frame["body"]))
    assert payload.hex() == frame["payload"]


@given(
    st.binary(min_size=32, max_size=32) | st.none(),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=300),
    st.binary(min_size=96, max_size=96),
    st.integers(0, 95),
)
def test_proofs_depend_on_all_that_was_said(
    auth: "bytes | None", shared: bytes, hello: bytes, shares: bytes, place: int
) -> None:
    host_share, unit_share = shares[:48], shares[48:]
    expected = Session(auth, shared, hello, host_share, unit_share)
    transcript_hash = transcript(CRYPTO, hello, host_share, unit_share)
    key = session_key(CRYPTO, auth, shared, transcript_hash)
    assert (transcript_hash, key) == (expected.transcript, expected.key)
    assert proof(CRYPTO, key, UNIT, transcript_hash) == expected.unit_proof
    assert proof(CRYPTO, key, HOST, transcript_hash) == expected.host_proof
    assert expected.unit_proof != expected.host_proof
    changed = bytearray(shares)
    changed[place] ^= 1
    assert transcript(CRYPTO, hello, bytes(changed[:48]), bytes(changed[48:])) != transcript_hash
    assert transcript(CRYPTO, hello + host_share[:1], host_share, unit_share) != transcript_hash


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_the_session_key_depends_on_binding_shared_secret_and_transcript(auth: bytes, shared: bytes, bit: int) -> None:
    def with_bit(value: bytes) -> bytes:
        return (int.from_bytes(value) ^ 1 << bit).to_bytes(32)

    made = [
        session_key(CRYPTO, auth, shared, TRANSCRIPT),
        session_key(CRYPTO, with_bit(auth), shared, TRANSCRIPT),
        session_key(CRYPTO, auth, with_bit(shared), TRANSCRIPT),
        session_key(CRYPTO, auth, shared, with_bit(TRANSCRIPT)),
        session_key(CRYPTO, None, shared, TRANSCRIPT),
    ]
    assert len({bytes(key) for key in made}) == len(made)


def test_a_binding_of_zeros_is_no_anonymous_session() -> None:
    keys = {bytes(session_key(CRYPTO, auth, KEY, TRANSCRIPT)) for auth in (None, bytes(32))}
    assert len(keys) == 2


@given(st.lists(st.tuples(ends, frames), max_size=12))
def test_any_conversation_is_that_of_the_reference(said: list[tuple[str, tuple[int, int, bytes]]]) -> None:
    channels = {who: channel(who) for who in (HOST, UNIT)}
    references = {who: reference(who) for who in (HOST, UNIT)}
    for sender, (kind, request_id, body) in said:
        payload = seal(channels[sender], kind, request_id, body)
        assert payload == references[sender].secured(kind, request_id, body)
        assert opened(channels[other(sender)], kind, request_id, payload) == body


@given(ends, st.integers(0, 4), frames, st.data())
def test_a_frame_altered_anywhere_is_refused(
    sender: str, before: int, frame: tuple[int, int, bytes], data: st.DataObject
) -> None:
    sending, receiving = channel(sender), channel(other(sender))
    for number in range(before):
        assert opened(receiving, 1, number, seal(sending, 1, number, b"before")) == b"before"
    kind, request_id, body = frame
    payload = bytearray(seal(sending, kind, request_id, body))
    bit = data.draw(st.integers(0, 8 * len(payload) + 39), label="bit")
    if bit < 8:
        kind ^= 1 << bit
    elif bit < 40:
        request_id ^= 1 << bit - 8
    else:
        payload[(bit - 40) // 8] ^= 1 << (bit - 40) % 8
    untouched = memoryview(bytearray(payload))
    assert receiving.open(kind, request_id, untouched) is None
    assert untouched == payload  # nothing is decrypted before authentication


@given(ends, st.lists(frames, min_size=2, max_size=6), st.data())
def test_only_the_next_frame_is_opened(sender: str, said: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    """A frame is repeated, early, or reflected to its sender; the next frame still opens."""
    sending, receiving = channel(sender), channel(other(sender))
    payloads = [seal(sending, *frame) for frame in said]
    own = seal(receiving, *said[0])
    arrived = data.draw(st.integers(0, len(said) - 1), label="arrived")
    for frame, payload in zip(said[:arrived], payloads, strict=False):
        assert opened(receiving, *frame[:2], payload) == frame[2]
    for number, (kind, request_id, _) in enumerate(said):
        if number != arrived:
            assert opened(receiving, kind, request_id, payloads[number]) is None
    assert opened(receiving, *said[0][:2], own) is None
    assert opened(receiving, *said[arrived][:2], payloads[arrived]) == said[arrived][2]


@given(ends, frames, st.binary(max_size=MAX_BODY + OVERHEAD))
def test_what_another_session_or_nobody_has_secured_is_refused(
    sender: str, frame: tuple[int, int, bytes], noise: bytes
) -> None:
    kind, request_id, body = frame
    receiving = channel(other(sender))
    changed = bytes([1]) + bytes(31)
    for stranger in (channel(sender, key=changed), channel(sender, transcript_hash=changed)):
        assert opened(receiving, kind, request_id, seal(stranger, kind, request_id, body)) is None
    assert opened(receiving, kind, request_id, noise) is None
    assert opened(receiving, kind, request_id, body) is None  # a frame in the clear


@pytest.mark.parametrize("size", range(OVERHEAD))
def test_a_payload_without_room_for_sync_word_and_tag_is_refused(size: int) -> None:
    assert opened(channel(UNIT), 1, 1, bytes(size)) is None


@given(ends, frames, st.integers(0, 63))
def test_the_sync_word_is_checked_on_its_own(sender: str, frame: tuple[int, int, bytes], bit: int) -> None:
    """An attacker with the MAC key still needs the sync word, which derives from the previous frame."""
    kind, request_id, body = frame
    forger = reference(sender)
    sync = bytearray(forger.sync)
    sync[bit // 8] ^= 1 << bit % 8
    forger.sync = bytes(sync)
    receiving = channel(other(sender))
    payload = bytearray(forger.secured(kind, request_id, body))
    assert receiving.open(kind, request_id, memoryview(payload)) is None
    assert opened(receiving, kind, request_id, reference(sender).secured(kind, request_id, body)) == body


@given(frames)
def test_the_two_directions_have_nothing_in_common(frame: tuple[int, int, bytes]) -> None:
    to_unit, to_host = seal(channel(HOST), *frame), seal(channel(UNIT), *frame)
    assert to_unit[:SYNC_SIZE] != to_host[:SYNC_SIZE]
    assert to_unit[-TAG_SIZE:] != to_host[-TAG_SIZE:]


def test_equal_bodies_look_different_each_time() -> None:
    sending = channel(HOST)
    payloads = [seal(sending, 1, 1, b"the same body") for _ in range(300)]
    for part in (slice(SYNC_SIZE), slice(SYNC_SIZE, -TAG_SIZE), slice(-TAG_SIZE, None)):
        assert len({payload[part] for payload in payloads}) == 300


def test_a_wiped_channel_holds_no_key_and_opens_nothing() -> None:
    host, unit = channel(HOST), channel(UNIT)
    payload = seal(host, 1, 2, b"body")
    unit.wipe()
    for direction in (unit._sending, unit._receiving):
        assert direction._key == bytes(32)
        assert direction._mac._inner_key == direction._mac._outer_key == bytes(64)
    assert opened(unit, 1, 2, payload) is None
