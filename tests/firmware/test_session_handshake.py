# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the handshake of a session, and of what its keys are worth later."""

from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import BINDING
from hosts.sessions import SHARE, ProjectSession, ReferenceSession, Said
from support.pieces import pieces
from support.reference import load_vectors

from firmware.sessions import ENDS, WRONG_PROOF, hosts, is_locked
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors

LOW_ORDER_KEYS = [bytes.fromhex(public) for public in load_vectors("sessions")["low_order"]]


class TestHandshake:
    @hosts
    def test_each_proves_to_the_other_that_it_knows_the_binding(self, bound: MemoryUnit, kind: Any) -> None:
        laptop = Host(bound.clone(), kind, opens=False)
        for _ in range(3):
            unit_proof = laptop.begin()
            assert laptop.session
            assert unit_proof == laptop.session.unit_proof
            laptop.prove()
            assert laptop.status()["state"] == commands.STATE_LOCKED, "proved, and not unlocked yet"
            laptop.unlock()
            assert laptop.status()["state"] == commands.STATE_PROVISIONED
            assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
            for index in range(1, 4):
                assert len(laptop.ask(commands.KEY_CHUNK, 0, index, 0, commands.MAX_CHUNK)[0]) == commands.MAX_CHUNK
                assert laptop.code(commands.KEY_CHUNK, 1, index, 0, 32) == errors.EPOCH

    def test_both_kinds_of_hosts_get_the_same_keys(self, bound: MemoryUnit) -> None:
        keys = set()
        for kind in (ProjectSession, ReferenceSession):
            laptop = Host(bound.clone(), kind, opens=False)
            laptop.open()
            keys |= set(laptop.ask(commands.KEY_CHUNK, 0, 7, 0, 256))
        assert len(keys) == 1

    def test_the_same_request_never_looks_the_same(self, laptop: Host) -> None:
        """The answers differ too, and no number or key appears on the line."""
        seen: set[bytes] = set()
        laptop.open()
        (key,) = laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 64)
        request = commands.KEY_CHUNK.request.pack(0, 1, 0, 64)
        for _ in range(2):
            laptop.open()
            for _ in range(2):
                payload = laptop.secured(commands.KEY_CHUNK, request)
                frame = laptop.send(commands.KEY_CHUNK, payload)
                assert laptop.channel
                assert laptop.channel.opened(frame.kind, frame.request_id, bytes(frame.payload)) == key
                seen |= {payload, bytes(frame.payload)}
        assert len(seen) == 8
        for payload in seen:
            for piece in (*pieces(key), request):
                assert piece not in payload

    def test_the_units_random_bytes_and_keys_differ_even_when_its_entropy_fails(
        self, laptop: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(laptop.unit, "entropy", bytes)
        seen: list[bytes] = []
        for _ in range(3):
            for _ in range(4):
                seen += laptop.ask(commands.OPEN_SESSION, *SHARE)[:2]
                laptop.disconnect()
            laptop.restart()
        assert len(set(seen)) == len(seen) == 24

    def test_the_proofs_cover_what_the_unit_said_of_itself(self, laptop: Host) -> None:
        """If the host has received a modified HELLO answer, the proofs differ."""
        hello = bytearray(laptop.hello())
        unit_public, unit_random, unit_proof = laptop.ask(commands.OPEN_SESSION, *SHARE)

        def expected(**changed: bytes) -> bytes:
            said = Said(bytes(hello), unit_public, unit_random)._replace(**changed)
            return ReferenceSession(BINDING, said).unit_proof

        assert expected() == unit_proof
        for position in range(0, len(hello), 5):
            hello[position] ^= 1
            assert expected() != unit_proof
            hello[position] ^= 1
        assert expected(unit_random=bytes([unit_random[0] ^ 1]) + unit_random[1:]) != unit_proof
        same_point = unit_public[:31] + bytes([unit_public[31] ^ 0x80])
        assert expected(unit_public=same_point) != unit_proof

    def test_a_session_is_begun_again_at_any_point(self, laptop: Host) -> None:
        laptop.begin()
        laptop.begin()
        laptop.prove()
        laptop.begin()
        assert is_locked(laptop)
        laptop.open()
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)


class TestForwardSecrecy:
    def test_no_two_sessions_share_a_key(self, laptop: Host) -> None:
        """Neither the unit's ephemeral keys nor the session keys repeat, also over restarts."""
        publics, keys = set[bytes](), set[bytes]()
        for number in range(6):
            laptop.begin()
            publics.add(laptop.said.unit_public)
            keys.add(bytes(laptop.firmware.state.session._key))
            if number == 2:
                laptop.restart()
        assert len(publics) == len(keys) == 6

    def test_the_session_key_lives_until_the_proof(self, laptop: Host) -> None:
        for given in (b"", WRONG_PROOF):
            laptop.begin()
            key = laptop.firmware.state.session._key
            assert any(key)
            laptop.code(commands.PROVE, given or (laptop.session.host_proof if laptop.session else b""))
            assert key == bytes(32)
            assert laptop.firmware.state.session._key == b""

    @pytest.mark.parametrize("end", ["hello", "close", "disconnect", "case opened", "zeroize", "opening"])
    def test_the_session_key_of_an_attempt_that_is_given_up(self, laptop: Host, end: str) -> None:
        laptop.begin()
        key = laptop.firmware.state.session._key
        if end == "case opened":
            laptop.unit.case.open()
            laptop.firmware.poll()
        elif end == "zeroize":
            laptop.ask(commands.ZEROIZE, commands.CONFIRMATION, laptop.unit.board.uid)
        elif end == "opening":
            laptop.ask(commands.OPEN_SESSION, *SHARE)
        else:
            ENDS[end](laptop)
        assert key == bytes(32)

    @pytest.mark.parametrize("public", LOW_ORDER_KEYS, ids=lambda public: public[:4].hex() + public[-1:].hex())
    def test_a_public_key_of_low_order_is_refused(self, laptop: Host, public: bytes) -> None:
        laptop.open()
        frame = laptop.send(commands.OPEN_SESSION, laptop.secured(commands.OPEN_SESSION, public + bytes(16)))
        assert bytes(frame.payload) == errors.PUBLIC_KEY.to_bytes(2), "in the clear"
        assert is_locked(laptop)
        laptop.channel = None
        assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
        assert laptop.code(commands.OPEN_SESSION, public, bytes(16)) == errors.PUBLIC_KEY, "it is no wrong attempt"
        laptop.open()
        assert laptop.status()["wrong_attempts"] == 0
