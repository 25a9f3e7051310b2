# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of mode A: the keys of messages for hosts that encrypt and decrypt."""

import pytest

from firmware.openings import SENDER
from firmware.peer import RANDOM, Peer, capsule, clear, header, new_token, wire
from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, VERNAM, WIRE_HEADER_SIZE


class TestModeA:
    """The host gets the keys of the current message and nothing else."""

    def keys(self, peer: Peer, outgoing: bool, cipher: int = VERNAM) -> bytes:
        """Return the token or handle of a message in mode a."""
        if not outgoing:
            return peer.ask(commands.OPEN_KEYS, wire(SENDER, 1, cipher=cipher), 0)[0]
        token = new_token()
        peer.ask(commands.SEAL_KEYS, token, cipher, 0, RANDOM)
        return token

    def codes(self, peer: Peer, message: bytes) -> set[int]:
        return {
            peer.code(commands.MESSAGE_STREAM, message, 0, 16),
            peer.code(commands.MESSAGE_CHECK, message, 0),
        }

    outgoing_or_incoming = pytest.mark.parametrize("outgoing", [True, False], ids=["outgoing", "incoming"])

    @outgoing_or_incoming
    def test_the_keystream_comes_in_order_or_again(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)

        def stream(offset: int, size: int) -> bytes:
            return peer.ask(commands.MESSAGE_STREAM, message, offset, size)[0]

        whole = stream(0, 100) + stream(100, 1024) + stream(1124, 1)
        assert len(whole) == 1125
        for offset, size in ((0, 100), (0, 1024), (101, 1024), (1124, 1), (77, 13)):
            assert stream(offset, size) == whole[offset : offset + size]
        for offset, size in ((1126, 1), (1124, 2), (102, 1024), (1 << 36, 1)):
            with pytest.raises(errors.UnitError, match="CONFLICT"):
                stream(offset, size)
        assert len(stream(1125, 8)) == 8

    @outgoing_or_incoming
    def test_what_is_out_of_range(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)
        end = commands.MAX_KEY_BYTES
        for offset, size in ((0, 0), (0, 1025), (0, 65535), (end, 1), (end - 1, 2), ((1 << 64) - 1, 1024)):
            assert peer.code(commands.MESSAGE_STREAM, message, offset, size) == errors.RANGE

    @outgoing_or_incoming
    def test_there_is_no_keystream_for_aes(self, peer: Peer, outgoing: bool) -> None:
        """Only the AES key derives from the paper bits; no honest host needs more of them."""
        message = self.keys(peer, outgoing, AES)
        for offset, size in ((0, 1), (0, 32), (32, 32), (0, 0)):
            assert peer.code(commands.MESSAGE_STREAM, message, offset, size) == errors.CONFLICT
        assert peer.code(commands.MESSAGE_CHECK, message, 5) == 0

    @outgoing_or_incoming
    def test_a_check_value_needs_the_keystream_it_is_about(self, peer: Peer, outgoing: bool) -> None:
        message = self.keys(peer, outgoing)

        def check(size: int) -> int:
            return peer.code(commands.MESSAGE_CHECK, message, size)

        assert check(0) == errors.CONFLICT
        peer.ask(commands.MESSAGE_STREAM, message, 0, 100)
        for size in (0, 50, 83, 93, 100, (1 << 64) - 1):
            assert check(size) == errors.CONFLICT, size
        assert check(90) == 0
        value = peer.ask(commands.MESSAGE_CHECK, message, 90)
        for size in (84, 89, 91, 92):
            assert check(size) == errors.CONFLICT, "a message has one end"
        peer.ask(commands.MESSAGE_STREAM, message, 100, 6)
        assert peer.ask(commands.MESSAGE_CHECK, message, 90) == value

    def test_a_check_value_that_failed_is_the_same_when_asked_for_again(self, peer: Peer) -> None:
        for use in range(1, 6):
            message = self.keys(peer, outgoing=False)
            peer.ask(commands.MESSAGE_STREAM, message, 0, 100)
            peer.unit.fail_at(use)
            peer.code(commands.MESSAGE_CHECK, message, 90)
            peer.unit.fail_at(0)
            (value,) = peer.ask(commands.MESSAGE_CHECK, message, 90)
            again = self.keys(peer, outgoing=False)
            peer.ask(commands.MESSAGE_STREAM, again, 0, 100)
            assert peer.ask(commands.MESSAGE_CHECK, again, 90) == (value,)

    def test_messages_of_mode_b_have_no_keys_for_a_host(self, peer: Peer) -> None:
        for cipher in (VERNAM, AES):
            token = new_token()
            peer.begin(token, cipher)
            handle, *_ = peer.ask(commands.OPEN_BEGIN, wire(SENDER, 1, cipher=cipher), 0)
            for message in (token, handle):
                assert peer.code(commands.MESSAGE_STREAM, message, 0, 16) == errors.CONFLICT

    def test_a_token_is_no_handle_and_a_handle_no_token(self, peer: Peer) -> None:
        """This holds even if a host makes them equal: the plaintext of mode b uses other keys."""
        handle, *_ = peer.ask(commands.OPEN_BEGIN, wire(SENDER, 1, cipher=VERNAM), 0)
        _, tag_key, *_ = peer.ask(commands.SEAL_KEYS, handle, VERNAM, 0, RANDOM)
        (own,) = peer.ask(commands.MESSAGE_STREAM, handle, 0, 64)
        foreign = peer.ask(commands.OPEN_KEYS, wire(SENDER, 1, cipher=VERNAM), 0)
        assert foreign[3] != tag_key
        assert peer.ask(commands.MESSAGE_STREAM, foreign[0], 0, 64) != (own,)

    @outgoing_or_incoming
    def test_others_and_unknown_ones(self, peer: Peer, outgoing: bool) -> None:
        assert self.codes(peer, bytes(8)) == {errors.CONFLICT}
        before = self.keys(peer, outgoing)
        now = self.keys(peer, outgoing)
        assert self.codes(peer, bytes(8)) == self.codes(peer, before) == {errors.CONFLICT}
        assert self.codes(peer, now) == {0}

    @outgoing_or_incoming
    @pytest.mark.parametrize("end", ["hello", "close", "disconnect"])
    def test_after_the_session(self, peer: Peer, outgoing: bool, end: str) -> None:
        message = self.keys(peer, outgoing)
        peer.ask(commands.MESSAGE_STREAM, message, 0, 16)
        if end == "disconnect":
            peer.disconnect()
        else:
            peer.ask(*((commands.HELLO,) if end == "hello" else (commands.CLOSE, 0)))
        assert self.codes(peer, message) == {errors.CONFLICT}

    def test_a_repeated_seal_keys_does_not_bring_the_keystream_back(self, peer: Peer) -> None:
        token = new_token()
        first = peer.ask(commands.SEAL_KEYS, token, VERNAM, 0, RANDOM)
        peer.ask(commands.HELLO)
        assert peer.ask(commands.SEAL_KEYS, token, VERNAM, 0, RANDOM) == first
        assert self.codes(peer, token) == {errors.CONFLICT}

    def test_a_handle_of_mode_a_opens_nothing_in_mode_b(self, peer: Peer) -> None:
        sealed = capsule(SENDER, 1)
        handle, *_ = peer.ask(commands.OPEN_KEYS, sealed[:WIRE_HEADER_SIZE], 0)
        chunk = sealed[WIRE_HEADER_SIZE:]
        assert peer.code(commands.OPEN_CHUNK, handle, 0, 1, chunk) == errors.CONFLICT

    def test_exported_keys_are_not_those_of_capsules(self, peer: Peer) -> None:
        own = clear(peer.begin()).index
        for index in (own, header(SENDER, 1).index, 1 << commands.INDEX_BITS, (1 << 64) - 1):
            assert peer.code(commands.KEY_CHUNK, 0, index, 0, 32) == errors.RANGE
            assert peer.code(commands.ACKNOWLEDGE, 0, index, 1) == errors.RANGE
