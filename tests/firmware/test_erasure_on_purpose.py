# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit answers after tampering, and ZEROIZE."""

import json
from pathlib import Path

import flash_reference
import pytest
from hosts.network import membership, named
from hosts.sessions import SHARE

from firmware.erasures import BLANK, REQUESTS, TAMPERED, all_secrets, check_erased, code, erased, tamper, zeroize
from firmware.life import Life, member
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash import records

OLD_FORMAT = json.loads((Path(__file__).parent / "images/format_1.json").read_text())


def test_tampered_until_zeroize() -> None:
    life = member()
    tamper(life)
    life.start()
    for _ in range(2):
        for command, values in REQUESTS.values():
            expected = 0 if command in (commands.STATUS, commands.CLOSE) else errors.TAMPERED
            assert code(life, command, *values()) == expected
        assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED
        assert code(life, commands.OPEN_SESSION, *SHARE) == errors.TAMPERED
        for command in (commands.HELLO, commands.STATUS):
            assert named(command.answer, life.ask(command))["state"] == TAMPERED
        life.start()
    zeroize(life)
    assert life.flash.images == erased(False, 2)
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["erases"] == 2
    life.host.provision()
    life.given.clear()
    life.live()


def test_zeroize_needs_no_session_and_goes_on_with_one() -> None:
    for open_first in (False, True):
        life = member(2)
        secrets = all_secrets(life)
        if open_first:
            life.open()
            life.seal()
        else:
            life.start()
        assert life.ask(commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == ()
        assert life.firmware.state.lifecycle == BLANK
        assert life.flash.images == erased(False, 3)
        check_erased(life, False, secrets)


@pytest.mark.parametrize(
    ("confirmation", "uid"),
    [
        (b"zeroize!", None),
        (bytes(8), None),
        (commands.CONFIRMATION, bytes(8)),
        (commands.CONFIRMATION, b"unit\1\2\3\5"),
    ],
)
def test_zeroize_wants_its_confirmation_and_this_unit(confirmation: bytes, uid: bytes | None) -> None:
    life = member()
    life.start()
    before = life.flash.images
    assert code(life, commands.ZEROIZE, confirmation, uid or life.unit.board.uid) == errors.RANGE
    assert life.flash.images == before
    assert life.look().next_index == 11


def test_zeroize_leaves_a_newer_state_alone() -> None:
    life = member()
    body = flash_reference.state_format(0).replace(b"\4", b"\5", 1)
    record = records.RecordKeys(CRYPTO).encode(records.STATE_FORMAT, body, 10_000)
    life.flash.nvm.write(life.clone().firmware.state.log.used, bytes(record))
    before = life.flash.images
    life.start()
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["flags"] == commands.NEWER_STATE
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STATE_FORMAT
    assert life.flash.images == before


def test_zeroize_of_an_older_state() -> None:
    life = Life()
    life.unit.board.nvm_write(0, bytes.fromhex(OLD_FORMAT["nvm"]))
    life.unit.board.snapshot_write(0, bytes.fromhex(OLD_FORMAT["nvm"]).ljust(NVM_SIZE, b"\xff"))
    secrets = all_secrets(life)
    life.start()
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["flags"] == commands.NOT_SEALED
    zeroize(life)
    assert life.flash.images == erased(False, 1)
    check_erased(life, False, secrets)


def test_opening_the_case_erases_an_older_state_too() -> None:
    life = Life()
    life.unit.board.nvm_write(0, bytes.fromhex(OLD_FORMAT["nvm"]))
    secrets = all_secrets(life)
    tamper(life)
    check_erased(life, True, secrets)


def test_zeroize_on_a_drive_that_cannot_be_written_changes_nothing() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    before = life.flash.images
    life.start()
    before[0] = bytes(life.unit.flash.nvm.content)  # except for the counter of starts
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STORAGE
    assert life.flash.images == before
    assert life.look().next_index == 11
