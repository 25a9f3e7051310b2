# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of BIND and TRUST."""

from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import BINDING, SECRET, named
from life.flash_view import records_under

from firmware.peer import capsule
from ndks.crypto import CRYPTO
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import MAX_SENDERS

NEW_BINDING = bytes(range(96, 128))
THIRD_BINDING = bytes(range(128, 160))
ID = b"id of the laptop"
BLANK_ID = bytes(16)


@pytest.fixture
def laptop(bound: MemoryUnit) -> Host:
    laptop = Host(bound.clone(), opens=False)
    laptop.open()
    return laptop


def named_hello(laptop: Host) -> dict[str, Any]:
    return named(commands.HELLO.answer, commands.HELLO.answer.unpack(laptop.hello()))


def refuses(laptop: Host, binding: bytes) -> bool:
    """Return whether the unit refuses a laptop with this binding."""
    laptop.unit.clock.milliseconds += 60_000
    unit_proof = laptop.begin(binding)
    assert laptop.session
    if unit_proof == laptop.session.unit_proof:
        return False
    return laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED


class TestBind:
    def test_the_new_laptop_opens_it_and_the_old_one_does_not(self, laptop: Host) -> None:
        key = laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 32)
        laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        laptop.ask(commands.TRUST, 2, ID)
        before = named_hello(laptop)
        laptop.open()
        assert laptop.ask(commands.BIND, NEW_BINDING) == ()
        for restart in (False, True):
            if restart:
                laptop.restart()
            assert refuses(laptop, BINDING)
            laptop.unit.clock.milliseconds += 60_000
            laptop.open(NEW_BINDING)
            assert laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 32) == key
            assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
            assert laptop.firmware.state.opened
            assert laptop.firmware.state.windows.binding_id_of(2) == ID
            after = named_hello(laptop)
            assert after.pop("binding_id") == BindingKeys(CRYPTO, NEW_BINDING).id
            assert after == {name: value for name, value in before.items() if name != "binding_id"}

    def test_the_session_goes_on(self, laptop: Host) -> None:
        laptop.ask(commands.BIND, NEW_BINDING)
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.ask(commands.TRUST, 3, ID)
        laptop.restart()
        laptop.open(NEW_BINDING)
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)

    def test_nothing_that_the_old_key_opens_is_left_anywhere(self, laptop: Host) -> None:
        assert len(records_under(laptop.unit.flash.images, BINDING)) >= 2
        for old, new in ((BINDING, NEW_BINDING), (NEW_BINDING, THIRD_BINDING)):
            for number in range(1, 60):
                laptop.ask(commands.ACCEPT, capsule(2, number)[:37], 0)
            assert len(records_under(laptop.unit.flash.images, old)) > 2
            laptop.ask(commands.BIND, new)
            assert len(records_under(laptop.unit.flash.images, old)) == 0
            assert len(records_under(laptop.unit.flash.images, new)) > 2
            laptop.restart()
            laptop.open(new)

    def test_the_same_binding_again(self, laptop: Host) -> None:
        laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        for _ in range(3):
            before = laptop.unit.flash.images
            laptop.ask(commands.BIND, BINDING)
            assert laptop.unit.flash.images == before, "nothing changes, nothing is written"
            assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
            laptop.restart()
            laptop.open()

    def test_neither_binding_nor_secret_lies_in_flash(self, laptop: Host) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.BIND, NEW_BINDING)
        keys = BindingKeys(CRYPTO, NEW_BINDING)
        flash = b"".join(laptop.unit.flash.images)
        for secret in (BINDING, NEW_BINDING, keys.kek, SECRET, ID):
            assert all(secret[start : start + 8] not in flash for start in range(len(secret) - 7))
        assert keys.auth in flash, "which only authenticates"

    def test_messages_say_which_laptop_they_come_from(self, laptop: Host) -> None:
        """The sync words also change for messages of the current session."""
        _, _, before, *_ = laptop.ask(commands.SEAL_KEYS, b"token  1", 0, 0, bytes(8))
        laptop.ask(commands.BIND, NEW_BINDING)
        header, _, after, *_ = laptop.ask(commands.SEAL_KEYS, b"token  2", 0, 0, bytes(8))
        laptop.open(NEW_BINDING)
        assert laptop.firmware.state.opened
        clear = laptop.firmware.state.member.header_keys.unmask(header)
        assert laptop.firmware.state.member.message_keys(clear, laptop.firmware.state.bound.id).sync == after != before

    @pytest.mark.parametrize("what_fails", ["drive", "nvm"])
    def test_without_storage_the_old_binding_stays(self, laptop: Host, what_fails: str) -> None:
        if what_fails == "drive":
            laptop.unit.flash.drive_is_writable = False
        else:
            laptop.unit.flash.nvm.worn_out = True
        assert laptop.code(commands.BIND, NEW_BINDING) == errors.STORAGE
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, "the unit reads flash again"
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        assert named_hello(laptop)["binding_id"] == BindingKeys(CRYPTO, BINDING).id
        laptop.unit.flash.drive_is_writable, laptop.unit.flash.nvm.worn_out = True, False
        laptop.open()
        assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.restart()
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
        laptop.ask(commands.BIND, NEW_BINDING)
        laptop.open(NEW_BINDING)


class TestTrust:
    def test_lanes_that_have_no_other_laptop(self, laptop: Host) -> None:
        for lane in (0, 1):
            for binding_id in (ID, BLANK_ID):
                assert laptop.code(commands.TRUST, lane, binding_id) == errors.RANGE

    def test_so_many_and_no_more_until_one_is_forgotten(self, laptop: Host) -> None:
        lanes = range(2, 2 + MAX_SENDERS)
        for lane in lanes:
            assert laptop.ask(commands.TRUST, lane, ID) == ()
        for _ in range(2):
            assert laptop.code(commands.TRUST, 100, ID) == errors.SENDERS
            assert laptop.ask(commands.TRUST, 5, b"another idea of.") == (), "those that are known may change"
            laptop.restart()
            laptop.open()
        laptop.ask(commands.TRUST, 3, BLANK_ID)
        assert laptop.ask(commands.TRUST, 100, ID) == ()
        laptop.restart()
        laptop.open()
        assert laptop.firmware.state.opened
        known = {lane: laptop.firmware.state.windows.binding_id_of(lane) for lane in (*lanes, 100)}
        assert known == dict.fromkeys(lanes, ID) | {3: b"", 5: b"another idea of.", 100: ID}

    def test_what_is_known_already_costs_nothing(self, laptop: Host) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 3, ID)
        before = laptop.unit.flash.images
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 3, ID)
        laptop.ask(commands.TRUST, 4, BLANK_ID)
        assert laptop.unit.flash.images == before

    def test_all_may_be_forgotten(self, laptop: Host) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 2, BLANK_ID)
        laptop.restart()
        laptop.open()
        assert laptop.firmware.state.opened
        assert laptop.firmware.state.windows.binding_id_of(2) == b""
        assert laptop.ask(commands.TRUST, 3, ID) == ()
