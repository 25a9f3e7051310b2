# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which laptop a unit opens for, and what it knows of others: BIND, TRUST."""

from typing import Any

import pytest

from firmware.laptops import Laptop
from firmware.member import BINDING, SECRET
from firmware.memory_board import MemoryBoard
from firmware.peer import capsule
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import MAX_SENDERS
from ndks_unit.flash.records import SIZE, RecordKeys

NEW_BINDING = bytes(range(96, 128))
THIRD_BINDING = bytes(range(128, 160))
ID = b"id of the laptop"
BLANK_ID = bytes(16)


@pytest.fixture(scope="module")
def bound() -> MemoryBoard:
    return Laptop().board


@pytest.fixture
def laptop(bound: MemoryBoard) -> Laptop:
    laptop = Laptop(board=bound.clone())
    laptop.open()
    return laptop


def named_hello(laptop: Laptop) -> dict[str, Any]:
    return dict(zip(commands.HELLO.answer.names, commands.HELLO.answer.unpack(laptop.hello()), strict=True))


def refuses(laptop: Laptop, binding: bytes) -> bool:
    """Whether the unit takes a laptop of this binding for a stranger."""
    laptop.board.clock += 60_000
    unit_proof = laptop.begin(binding)
    assert laptop.session
    if unit_proof == laptop.session.unit_proof:
        return False
    return laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED


def images(board: MemoryBoard) -> list[bytes]:
    return [bytes(board.nvm.content), *(bytes(snapshot.content) for snapshot in board.snapshots if snapshot)]


def readable_under(binding: bytes, board: MemoryBoard) -> int:
    """How many records of nvm and snapshots can be read with the keys of a binding, but for plain ones."""
    keys, found = RecordKeys(CRYPTO), 0
    keys.set_auth(BindingKeys(CRYPTO, binding).auth)
    keys.set_kek(BindingKeys(CRYPTO, binding).kek)
    for image in images(board):
        for offset in range(0, SIZE - 24, 16):
            size = int.from_bytes(image[offset + 1 : offset + 3])
            if image[offset] < 0xF0 and offset + 24 + size <= SIZE:
                found += keys.decode(image[offset : offset + 24 + size]) is not None
    return found


class TestBind:
    def test_the_new_laptop_opens_it_and_the_old_one_does_not(self, laptop: Laptop) -> None:
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
            laptop.board.clock += 60_000
            laptop.open(NEW_BINDING)
            assert laptop.ask(commands.KEY_CHUNK, 0, 1, 0, 32) == key
            assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
            assert laptop.unit.state.opened
            assert laptop.unit.state.windows.binding_id_of(2) == ID
            after = named_hello(laptop)
            assert after.pop("binding_id") == BindingKeys(CRYPTO, NEW_BINDING).id
            assert after == {name: value for name, value in before.items() if name != "binding_id"}

    def test_the_session_goes_on(self, laptop: Laptop) -> None:
        laptop.ask(commands.BIND, NEW_BINDING)
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.ask(commands.TRUST, 3, ID)
        laptop.restart()
        laptop.open(NEW_BINDING)
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)

    def test_nothing_that_the_old_key_opens_is_left_anywhere(self, laptop: Laptop) -> None:
        assert readable_under(BINDING, laptop.board) >= 2
        for old, new in ((BINDING, NEW_BINDING), (NEW_BINDING, THIRD_BINDING)):
            for number in range(1, 60):
                laptop.ask(commands.ACCEPT, capsule(2, number)[:37], 0)
            assert readable_under(old, laptop.board) > 2
            laptop.ask(commands.BIND, new)
            assert readable_under(old, laptop.board) == 0
            assert readable_under(new, laptop.board) > 2
            laptop.restart()
            laptop.open(new)

    def test_the_same_binding_again(self, laptop: Laptop) -> None:
        laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        for _ in range(3):
            before = images(laptop.board)
            laptop.ask(commands.BIND, BINDING)
            assert images(laptop.board) == before, "nothing changes, nothing is written"
            assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
            laptop.restart()
            laptop.open()

    def test_neither_binding_nor_secret_lies_in_flash(self, laptop: Laptop) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.BIND, NEW_BINDING)
        keys = BindingKeys(CRYPTO, NEW_BINDING)
        flash = b"".join(images(laptop.board))
        for secret in (BINDING, NEW_BINDING, keys.kek, SECRET, ID):
            assert all(secret[start : start + 8] not in flash for start in range(len(secret) - 7))
        assert keys.auth in flash, "which only tells who is there"

    def test_messages_say_which_laptop_they_come_from(self, laptop: Laptop) -> None:
        """Also those of this session."""
        _, _, before, _ = laptop.ask(commands.SEAL_KEYS, b"token  1", 0, 0, bytes(8))
        laptop.ask(commands.BIND, NEW_BINDING)
        header, _, after, _ = laptop.ask(commands.SEAL_KEYS, b"token  2", 0, 0, bytes(8))
        laptop.open(NEW_BINDING)
        assert laptop.unit.state.opened
        clear = laptop.unit.state.member.header_keys.unmask(header)
        assert laptop.unit.state.member.message_keys(clear, laptop.unit.state.bound.id).sync == after != before

    @pytest.mark.parametrize("what_fails", ["drive", "nvm"])
    def test_without_storage_the_old_binding_stays(self, laptop: Laptop, what_fails: str) -> None:
        if what_fails == "drive":
            laptop.board.drive_is_writable = False
        else:
            laptop.board.nvm.worn_out = True
        assert laptop.code(commands.BIND, NEW_BINDING) == errors.STORAGE
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, "whatever flash says, it says it anew"
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        assert named_hello(laptop)["binding_id"] == BindingKeys(CRYPTO, BINDING).id
        laptop.board.drive_is_writable, laptop.board.nvm.worn_out = True, False
        laptop.open()
        assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.restart()
        laptop.open()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)
        laptop.ask(commands.BIND, NEW_BINDING)
        laptop.open(NEW_BINDING)


class TestTrust:
    def test_lanes_that_have_no_other_laptop(self, laptop: Laptop) -> None:
        for lane in (0, 1):
            for binding_id in (ID, BLANK_ID):
                assert laptop.code(commands.TRUST, lane, binding_id) == errors.RANGE

    def test_so_many_and_no_more_until_one_is_forgotten(self, laptop: Laptop) -> None:
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
        assert laptop.unit.state.opened
        known = {lane: laptop.unit.state.windows.binding_id_of(lane) for lane in (*lanes, 100)}
        assert known == dict.fromkeys(lanes, ID) | {3: b"", 5: b"another idea of.", 100: ID}

    def test_what_is_known_already_costs_nothing(self, laptop: Laptop) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 3, ID)
        before = images(laptop.board)
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 3, ID)
        laptop.ask(commands.TRUST, 4, BLANK_ID)
        assert images(laptop.board) == before

    def test_all_may_be_forgotten(self, laptop: Laptop) -> None:
        laptop.ask(commands.TRUST, 2, ID)
        laptop.ask(commands.TRUST, 2, BLANK_ID)
        laptop.restart()
        laptop.open()
        assert laptop.unit.state.opened
        assert laptop.unit.state.windows.binding_id_of(2) == b""
        assert laptop.ask(commands.TRUST, 3, ID) == ()
