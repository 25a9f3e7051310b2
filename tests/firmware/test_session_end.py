# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the end of a session: its keys are overwritten, also when a primitive fails."""

import pytest
from hosts.memory import Host

from firmware.peer import FailingUnit, failing_unit, wire
from firmware.sessions import ENDS, is_locked
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing
from ndks_protocol.kdf import Mac
from ndks_protocol.session import Direction
from ndks_unit import dispatcher
from ndks_unit.state import State


def secrets_of(state: State) -> dict[str, bytearray]:
    """Return every key whose lifetime is a session."""
    assert state.session.channel
    held: dict[str, bytearray] = {"network secret": state.member.secret}
    for name in ("_sending", "_receiving"):
        direction: Direction = getattr(state.session.channel, name)
        held[f"{name} encryption key"] = direction._key
        held |= _keys_of_mac(f"{name} mac key", direction._mac)
    for name in ("_seal_tag", "_seal_key"):
        held |= _keys_of_mac(name, getattr(state.log.keys, name))
    for kind in (1, 2):
        body = state.log.body(kind)
        if body:
            held[f"record {kind}"] = body
    held |= _keys_of_mac("network secret", state.member.mac)
    held["header mask key"] = state.member.header_keys._mask_key
    held |= _keys_of_mac("header mac key", state.member.header_keys._mac)
    for name, message, tool in (
        ("sealing", state.sealing.current, "_sealer"),
        ("opening", state.incoming, "_opener"),
    ):
        if message:
            held |= {f"{name}{key}": getattr(message.keys, key) for key in ("_tag_key", "_mask_key", "aes_key")}
            held |= _keys_of_mac(f"{name} tags", getattr(message, tool)._mac)
    return held


def _keys_of_mac(name: str, mac: Mac) -> dict[str, bytearray]:
    return {f"{name} inner": mac._inner_key, f"{name} outer": mac._outer_key}


class TestWhatIsLeft:
    @pytest.mark.parametrize("end", [*ENDS, "case opened"])
    def test_keys_are_overwritten_when_a_session_ends(
        self, laptop: Host, end: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used: list[str] = []
        aes_ctr = laptop.unit.board.aes_ctr
        monkeypatch.setattr(laptop.unit.board, "aes_ctr", lambda *values: (used.append("key"), aes_ctr(*values)))
        monkeypatch.setattr(laptop.unit.board, "forget_key", lambda: used.append("no key"))
        laptop.open()
        laptop.ask(commands.TRUST, 2, bytes(range(16)))
        laptop.ask(commands.SEAL_BEGIN, bytes(8), commands.AES, 0, bytes(8))
        laptop.ask(commands.OPEN_BEGIN, wire(2, 1, cipher=commands.AES), 0)
        laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
        held = secrets_of(laptop.firmware.state)
        assert len(held) == 28
        assert all(any(key) for key in held.values())
        if end == "case opened":
            laptop.unit.case.open()
            laptop.firmware.poll()
        else:
            ENDS[end](laptop)
        assert {name for name, key in held.items() if any(key)} == set()
        assert used[-1] == "no key"  # a board keeps one AES object, and in it the latest key
        assert is_locked(laptop)

    def test_another_unlock_leaves_nothing_of_the_one_before(self, laptop: Host) -> None:
        laptop.open()
        held = secrets_of(laptop.firmware.state)
        laptop.unlock()
        kept = {id(key) for key in secrets_of(laptop.firmware.state).values()}
        assert {name for name, key in held.items() if any(key) and id(key) not in kept} == set()

    @pytest.mark.parametrize("end", ENDS)
    def test_the_next_session_begins_again(self, laptop: Host, end: str) -> None:
        laptop.open()
        laptop.ask(commands.SEAL_BEGIN, b"token  1", 0, 0, bytes(8))
        ENDS[end](laptop)
        laptop.channel = None
        if end == "zeroize":
            assert laptop.code(commands.NEXT_INDEX) == errors.BLANK
            return
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
        laptop.open()
        assert laptop.code(commands.SEAL_CHUNK, b"token  1", 0, 1, b"") == errors.CONFLICT

    def test_closing_is_answered_in_the_session(self, laptop: Host) -> None:
        laptop.open()
        assert laptop.ask(commands.CLOSE, 0) == ()
        laptop.channel = None
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED

    def test_a_case_that_is_opened_while_a_key_is_made_gives_nothing_away(
        self, laptop: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        laptop.open()

        def open_case(*_: object) -> tuple[bytes]:
            laptop.unit.case.open()
            return (b"a key" * 10,)

        monkeypatch.setitem(dispatcher.HANDLERS, commands.KEY_CHUNK.code, open_case)
        payload = laptop.secured(commands.KEY_CHUNK, commands.KEY_CHUNK.request.pack(0, 1, 0, 32))
        frame = laptop.send(commands.KEY_CHUNK, payload)
        assert (frame.kind, bytes(frame.payload)) == (framing.ERROR, errors.TAMPERED.to_bytes(2))
        assert is_locked(laptop)
        assert laptop.firmware.state.binding is None


class TestFailures:
    """A fault at any use of a primitive, for example for lack of memory: every request is still answered."""

    def laptop(self, bound: MemoryUnit) -> tuple[Host, FailingUnit]:
        unit = failing_unit(bound.flash.images)
        return Host(unit, opens=False), unit

    def test_an_unlock_that_fails_can_be_repeated_and_leaves_nothing_half_done(self, bound: MemoryUnit) -> None:
        failures = 0
        for use in range(1, 1000):
            laptop, unit = self.laptop(bound)
            laptop.begin()
            laptop.prove()
            laptop.firmware._dispatch = unit.serving(laptop.firmware._dispatch)  # type: ignore[method-assign]
            unit.fail_at(use)
            assert laptop.session
            code = laptop.code(commands.UNLOCK, laptop.session.kek, 5, 0)
            unit.fail_at(0)
            if not code:
                break
            assert code == errors.INTERNAL
            failures += 1
            status = laptop.status()
            assert laptop.code(commands.SEAL_BEGIN, bytes(8), 0, 0, bytes(8)) == (
                errors.LOCKED if status["state"] == commands.STATE_LOCKED else 0
            )
            laptop.unlock(minimum=5)
            assert laptop.status()["message_counter"] >= 5
        assert failures > 10

    def test_a_session_that_fails_ends(self, bound: MemoryUnit) -> None:
        laptop, unit = self.laptop(bound)
        laptop.firmware._answer = unit.serving(laptop.firmware._answer)  # type: ignore[method-assign]
        failures = 0
        for use in range(1, 1000):
            unit.fail_at(0)
            laptop.open()
            payload = laptop.secured(commands.NEXT_INDEX, b"")
            unit.fail_at(use)
            frame = laptop.send(commands.NEXT_INDEX, payload)
            if unit.uses_left:
                break
            failures += 1
            assert frame.kind == framing.ERROR
            assert bytes(frame.payload) in (errors.SESSION_ENDED.to_bytes(2), errors.INTERNAL.to_bytes(2))
            laptop.channel = None
            assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
        assert failures > 3
