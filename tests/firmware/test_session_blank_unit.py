# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the sessions of a blank unit, in which nobody authenticates."""

from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import BINDING, membership
from hosts.sessions import ProjectSession
from support.pieces import pieces

from firmware.sessions import ENDS, NEED_A_SESSION, WRONG_PROOF, hosts, is_locked, values_of
from ndks_protocol import commands, errors
from ndks_protocol.session import Direction

ENDS_OF_ANONYMOUS_SESSIONS = ENDS | {"provisioned": Host.provision}


class TestBlankUnit:
    """A blank unit has sessions in which nobody authenticates."""

    @hosts
    def test_a_session_with_it(self, kind: Any) -> None:
        laptop = Host(keeps=kind, opens=False)
        for _ in range(3):
            laptop.open_anonymously()
            assert laptop.status()["state"] == commands.STATE_BLANK
            for command in NEED_A_SESSION:
                assert laptop.code(command, *values_of(command)) == errors.BLANK
            assert laptop.code(commands.UNLOCK, bytes(32), 0, 0) == errors.BLANK
            assert laptop.code(commands.PROVISION_SEALED, bytes(32), b"") == errors.NO_JOINING_KEY
        laptop.ask(commands.PROVISION, *membership())
        assert laptop.channel is None
        assert is_locked(laptop)
        laptop.open()

    def test_without_one_it_is_not_provisioned(self) -> None:
        laptop = Host(opens=False)
        for command, values in ((commands.PROVISION, membership()), (commands.PROVISION_SEALED, (bytes(32), b""))):
            assert laptop.code(command, *values) == errors.LOCKED
            laptop.begin(None)
            assert laptop.code(command, *values) == errors.LOCKED
            laptop.hello()
        assert laptop.firmware.state.binding is None

    def test_nothing_of_provisioning_is_on_the_line(self) -> None:
        laptop = Host()
        heard = bytearray()
        write, read = laptop.unit.write, laptop.unit.read

        def listen(data: bytes) -> None:
            heard.extend(data)
            write(data)

        def listen_to_the_unit() -> bytes:
            data = read()
            heard.extend(data)
            return data

        laptop.unit.write, laptop.unit.read = listen, listen_to_the_unit  # type: ignore[method-assign]
        values = membership()
        laptop.ask(commands.PROVISION, *values)
        for secret in (values[0], values[6]):
            assert not any(piece in heard for piece in pieces(secret))

    def test_wrong_proofs_neither_count_nor_delay(self) -> None:
        laptop = Host(opens=False)
        before = laptop.unit.flash.images
        for _ in range(12):
            laptop.begin(None)
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.LOCKED
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
            assert laptop.status()["wrong_attempts"] == 0
        assert laptop.unit.flash.images == before
        laptop.open_anonymously()

    def test_no_binding_opens_it(self) -> None:
        """A binding whose A has zeros only would not, either: the labels differ."""
        laptop = Host(opens=False)
        for binding in (BINDING, bytes(32)):
            unit_proof = laptop.begin(None)
            session = ProjectSession(binding, laptop.said)
            assert session.unit_proof != unit_proof
            assert laptop.code(commands.PROVE, session.host_proof) == errors.LOCKED

    def test_an_anonymous_session_does_not_open_a_bound_unit(self, laptop: Host) -> None:
        unit_proof = laptop.begin(None)
        assert laptop.session
        assert laptop.session.unit_proof != unit_proof
        assert laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED
        assert laptop.status()["wrong_attempts"] == 1

    def test_a_refused_provisioning_leaves_the_session_open(self) -> None:
        laptop = Host(opens=False)
        laptop.open_anonymously()
        assert laptop.code(commands.PROVISION, *membership(lane=0)) == errors.RANGE
        laptop.provision()

    @pytest.mark.parametrize("end", [*ENDS_OF_ANONYMOUS_SESSIONS])
    def test_its_keys_are_overwritten_when_a_session_ends(self, end: str) -> None:
        laptop = Host(opens=False)
        laptop.open_anonymously()
        channel = laptop.firmware.state.session.channel
        assert channel
        held = [key for direction in (channel._sending, channel._receiving) for key in keys_of(direction)]
        assert all(any(key) for key in held)
        ENDS_OF_ANONYMOUS_SESSIONS[end](laptop)
        assert not any(any(key) for key in held)
        assert is_locked(laptop)

    def test_an_opened_case_ends_no_anonymous_session(self) -> None:
        """There is nothing to erase; but the unit takes no membership."""
        laptop = Host(opens=False)
        laptop.open_anonymously()
        laptop.unit.case.open()
        assert laptop.code(commands.PROVISION, *membership()) == errors.TAMPERED
        assert laptop.status()["state"] == commands.STATE_TAMPERED


def keys_of(direction: Direction) -> list[bytearray]:
    return [direction._key, direction._mac._inner_key, direction._mac._outer_key]
