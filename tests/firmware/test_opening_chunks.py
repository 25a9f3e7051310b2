# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the chunks of messages that are opened, in both modes."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.capsules import chunks_of
from hosts.network import BINDING

from firmware.openings import OPENING, OWN_LANE, SENDER, ciphers, modes
from firmware.peer import Peer, capsule, wire
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors, framing
from ndks_protocol.binding import BindingKeys
from ndks_protocol.capsule import CHUNK, TAG_SIZE
from ndks_protocol.commands import WIRE_HEADER_SIZE
from ndks_protocol.kdf import Mac
from ndks_protocol.session import OVERHEAD

ID = b"id of the laptop"
OTHER_ID = b"id of some other"
MAX_BODY = framing.MAX_PAYLOAD - OVERHEAD  # maximum body of a request in a session


def know(peer: Peer, ids: dict[int, bytes]) -> None:
    """Store the bindings of senders on the unit."""
    for lane, binding_id in ids.items():
        assert peer.ask(commands.TRUST, lane, binding_id) == ()
    peer.restart()


def last_bytes_only(body: bytes, tag_key: bytes, number: int = 0) -> bytes:
    """Return a last chunk with this body and a correct tag."""
    return body + Mac(CRYPTO, tag_key).digest(number.to_bytes(4) + b"\1", body)[:TAG_SIZE]


class TestChunks:
    def begin(self, peer: Peer, sealed: bytes) -> Callable[..., bytes]:
        """Return a function that requests the data of the chunks of a capsule."""
        handle, *_ = peer.ask(commands.OPEN_BEGIN, sealed[:WIRE_HEADER_SIZE], 0)
        return lambda *chunk: peer.ask(commands.OPEN_CHUNK, handle, *chunk)[0]

    @ciphers
    def test_out_of_order_is_a_conflict_and_then_it_goes_on(self, peer: Peer, cipher: int) -> None:
        data = bytes(range(256)) * 10
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        chunks = chunks_of(sealed)
        open_chunk = self.begin(peer, sealed)
        opened = b""
        for position, chunk in enumerate(chunks):
            for other in range(len(chunks)):
                if other != position:
                    with pytest.raises(errors.UnitError, match="CONFLICT"):
                        open_chunk(*chunks[other])
            opened += open_chunk(*chunk)
        assert opened == data
        for after in (0, 1, len(chunks) - 1, len(chunks), 0xFFFFFFFF):
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                open_chunk(after, 1, chunks[-1][2])

    @ciphers
    def test_the_last_8_bytes_are_held_back(self, peer: Peer, cipher: int) -> None:
        """They are the key check value if the chunk is the last."""
        data = bytes(range(256)) * 8
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        open_chunk = self.begin(peer, sealed)
        opened = [open_chunk(*chunk) for chunk in chunks_of(sealed)]
        assert [len(part) for part in opened] == [CHUNK - 16, CHUNK, 16]
        assert b"".join(opened) == data

    @ciphers
    def test_nothing_of_a_chunk_with_a_wrong_tag_comes_out(self, peer: Peer, cipher: int) -> None:
        data = b"nobody reads this before it is proved"
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        open_chunk = self.begin(peer, sealed)
        ((_, _, chunk),) = chunks_of(sealed)
        for bit in range(8 * len(chunk)):
            altered = (int.from_bytes(chunk) ^ 1 << bit).to_bytes(len(chunk))
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(0, 1, altered)
        assert open_chunk(0, 1, chunk) == data, "nor is the message over"

    @ciphers
    def test_cut_off_capsules(self, peer: Peer, cipher: int) -> None:
        sealed = capsule(SENDER, 1, bytes(1500), cipher=cipher)
        first, last = chunks_of(sealed)
        for size in (*range(0, len(last[2]) - 20, 23), *range(len(last[2]) - 20, len(last[2]))):
            open_chunk = self.begin(peer, sealed)
            open_chunk(*first)
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(1, 1, last[2][:size])
        for chunk in ((0, 1, first[2]), (0, 1, b""), (0, 0, last[2]), (0, 0, b""), (0, 2, first[2])):
            with pytest.raises(errors.UnitError, match="AUTH"):
                self.begin(peer, sealed)(*chunk)

    def test_longer_ones(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1, bytes(3000))
        ((_, _, first), *_) = chunks_of(sealed)
        for more in (1, 16, MAX_BODY - len(first) - 13):
            with pytest.raises(errors.UnitError, match="AUTH"):
                self.begin(peer, sealed)(0, 0, first + bytes(more))

    def test_chunks_of_other_places_and_messages(self, peer: Peer) -> None:
        sealed, other = (capsule(SENDER, number, bytes(5000)) for number in (1, 2))
        chunks, others = chunks_of(sealed), chunks_of(other)
        open_chunk = self.begin(peer, sealed)
        open_chunk(*chunks[0])
        for foreign in (chunks[0][2], chunks[2][2], others[1][2]):
            with pytest.raises(errors.UnitError, match="AUTH"):
                open_chunk(1, 0, foreign)

    @pytest.mark.parametrize("size", range(18))
    def test_members_that_seal_less_than_16_bytes(self, peer: Peer, size: int) -> None:
        """There is no room for sync word and key check value; correct tags alone do not make a capsule."""
        _, _, _, tag_key, *_ = peer.ask(commands.OPEN_KEYS, wire(SENDER, 1), 0)
        chunk = last_bytes_only(bytes(size), tag_key)
        code = peer.open_code(wire(SENDER, 1) + chunk)
        assert code == (errors.AUTH if size < 16 else errors.DIVERGED)

    def test_members_that_seal_an_empty_last_chunk(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1, bytes(1500))
        open_chunk = self.begin(peer, sealed)
        open_chunk(*chunks_of(sealed)[0])
        _, _, _, tag_key, *_ = Peer(OWN_LANE).ask(commands.OPEN_KEYS, sealed[:WIRE_HEADER_SIZE], 0)
        with pytest.raises(errors.UnitError, match="AUTH"):
            open_chunk(1, 1, last_bytes_only(b"", tag_key, 1))

    @ciphers
    @modes
    def test_a_generator_that_differs(self, cipher: int, mode: str) -> None:
        """There is no damage in transit: all tags are correct, but the data differ."""
        sender = Peer(SENDER, p1="0.53")
        for size in (0, 2000):
            with pytest.raises(errors.UnitError, match="DIVERGED"):
                Peer(OWN_LANE).open(sender.seal(bytes(size), cipher), mode=mode)

    def test_alterations_come_before_generators_that_differ(self, peer: Peer) -> None:
        sealed = bytearray(Peer(SENDER, p1="0.53").seal(b"hello"))
        sealed[-1] ^= 1
        assert peer.open_code(bytes(sealed)) == errors.AUTH

    @ciphers
    @modes
    def test_the_senders_laptop(self, peer: Peer, cipher: int, mode: str) -> None:
        know(peer, {9: OTHER_ID, SENDER: ID, 10: OTHER_ID})
        for binding_id, matches in ((ID, True), (OTHER_ID, False), (bytes(16), False)):
            sealed = capsule(SENDER, 1, b"hello", binding_id, cipher=cipher)
            if matches:
                assert peer.open(sealed, mode=mode) == b"hello"
            else:
                with pytest.raises(errors.UnitError, match="BINDING"):
                    peer.open(sealed, mode=mode)

    @modes
    def test_a_unit_says_which_laptop_it_is_bound_to(self, peer: Peer, mode: str) -> None:
        sealed = Peer(SENDER).seal(b"hello", mode=mode)
        know(peer, {SENDER: ID})
        assert peer.open_code(sealed) == errors.BINDING
        know(peer, {SENDER: BindingKeys(CRYPTO, BINDING).id})
        assert peer.open_code(sealed) == 0

    @modes
    @pytest.mark.parametrize("ids", [{}, {9: OTHER_ID}, {SENDER: bytes(16)}], ids=["none", "of others", "forgotten"])
    def test_a_laptop_that_is_not_known_is_not_checked(self, peer: Peer, mode: str, ids: dict[int, bytes]) -> None:
        if SENDER in ids:
            know(peer, {SENDER: OTHER_ID})
        know(peer, ids)
        for binding_id in (bytes(16), ID):
            assert peer.open(capsule(SENDER, 1, b"hello", binding_id), mode=mode) == b"hello"

    def test_generators_that_differ_come_before_laptops(self, peer: Peer) -> None:
        know(peer, {SENDER: ID})
        assert peer.open_code(Peer(SENDER, p1="0.53").seal(b"hello")) == errors.DIVERGED

    @pytest.mark.parametrize("wrong", ["DIVERGED", "BINDING"])
    def test_after_a_last_chunk_that_was_refused_there_is_no_other(self, peer: Peer, wrong: str) -> None:
        know(peer, {SENDER: ID})
        sealed = Peer(SENDER, p1="0.53" if wrong == "DIVERGED" else "0.52").seal(b"hello")
        open_chunk = self.begin(peer, sealed)
        with pytest.raises(errors.UnitError, match=wrong):
            open_chunk(*chunks_of(sealed)[0])
        with pytest.raises(errors.UnitError, match="CONFLICT"):
            open_chunk(*chunks_of(sealed)[0])

    @pytest.mark.parametrize("end", ["hello", "close", "disconnect", "another message", "another mode"])
    def test_what_ends_an_opening(self, peer: Peer, end: str) -> None:
        ends: dict[str, Callable[[], object]] = {
            "hello": lambda: peer.ask(commands.HELLO),
            "close": lambda: peer.ask(commands.CLOSE, 0),
            "disconnect": peer.disconnect,
            "another message": lambda: peer.ask(commands.OPEN_BEGIN, wire(SENDER, 2), 0),
            "another mode": lambda: peer.ask(commands.OPEN_KEYS, wire(SENDER, 1), 0),
        }
        sealed = capsule(SENDER, 1, bytes(1500))
        open_chunk = self.begin(peer, sealed)
        chunks = chunks_of(sealed)
        open_chunk(*chunks[0])
        ends[end]()
        for chunk in chunks:
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                open_chunk(*chunk)
        assert peer.open(sealed) == bytes(1500), "from its beginning it opens"

    def test_a_refused_beginning_ends_nothing(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1)
        open_chunk = self.begin(peer, sealed)
        assert peer.code(commands.OPEN_BEGIN, wire(OWN_LANE, 1), 0) == errors.REFLECTED
        assert open_chunk(*chunks_of(sealed)[0]) == b"hello"

    def test_handles_are_new_each_time(self, peer: Peer) -> None:
        handles = {peer.ask(command, wire(SENDER, 1), 0)[0] for command in OPENING for _ in range(50)}
        assert len(handles) == 100
        assert peer.code(commands.OPEN_CHUNK, bytes(8), 0, 1, bytes(40)) == errors.CONFLICT

    @ciphers
    def test_a_failure_in_the_middle_costs_an_opening_at_most(self, peer: Peer, cipher: int) -> None:
        """A fault such as lack of memory. Any data returned later are correct, and the message can be opened again."""
        data = bytes(range(256)) * 5
        sealed = capsule(SENDER, 1, data, cipher=cipher)
        chunks = chunks_of(sealed)
        failures = 0
        for use in range(1, 1000):
            open_chunk = self.begin(peer, sealed)
            peer.unit.fail_at(use)
            opened = b""
            try:
                for chunk in chunks:
                    opened += _persistently(open_chunk, chunk)
            except errors.UnitError as error:
                assert error.code == errors.CONFLICT  # noqa: PT017
                assert data.startswith(opened)
            else:
                assert opened == data
            if peer.unit.uses_left:
                break
            failures += 1
        assert failures > 5
        peer.unit.fail_at(0)
        assert peer.open(sealed) == data


def _persistently(open_chunk: Callable[..., bytes], chunk: tuple[Any, ...]) -> bytes:
    """Repeat the request if the unit has failed."""
    try:
        return open_chunk(*chunk)
    except errors.UnitError as error:
        if error.code != errors.INTERNAL:
            raise
        return open_chunk(*chunk)
