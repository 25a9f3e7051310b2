# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Erasure while files or nvm cannot be written."""

import pytest
from hosts.sessions import SHARE
from support.power_cuts import PowerCuts

from firmware.erasures import REQUESTS, TAMPERED, all_secrets, check_erased, code, erased, has_begun, is_marked, tamper
from firmware.life import Life, member
from ndks_protocol import commands, errors


def test_files_that_cannot_be_written_when_the_case_opens() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    assert life.firmware.state.lifecycle == TAMPERED
    assert code(life, commands.OPEN_SESSION, *SHARE) == errors.TAMPERED


def test_unit_starts_while_its_files_cannot_be_written() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    erases = life.unit.flash.nvm.erases
    for _ in range(3):
        life.start()
        assert is_marked(life.flash, True)
        assert life.firmware.state.lifecycle == TAMPERED
        for _ in range(3):
            life.firmware.poll()
    assert life.unit.flash.nvm.erases <= erases + 1, "nvm is not worn out meanwhile"


def test_next_start_with_files_that_can_be_written_finishes() -> None:
    life = member(1)
    secrets = all_secrets(life)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    assert is_marked(life.flash, True)
    life.unit.flash.drive_is_writable = True
    check_erased(life, True, secrets)


def test_cut_while_the_files_cannot_be_written(power_cuts: PowerCuts) -> None:
    """The older state in a snapshot must not return: the unit would issue indices twice."""
    life = member(1, fine=False)
    life.start()
    life.acknowledge(11)
    secrets, old = all_secrets(life), life.look()
    life.unit.flash.drive_is_writable = False
    for cut in power_cuts.cuts(life, tamper, at_most=1000):
        assert cut.unit.flash.nvm.erases == life.unit.flash.nvm.erases, "with it, the marker would go"
        cut.unit.flash.drive_is_writable = True
        if has_begun(cut.flash, True):
            check_erased(cut, True, secrets)
        else:
            assert cut.look() == old


@pytest.mark.parametrize("failing", [0, 1])
def test_zeroize_whose_files_fail_is_finished_by_the_next_start(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    life = member(2)
    life.open()
    life.acknowledge(11)
    secrets = all_secrets(life)
    write = life.unit.board.snapshot_write

    def fail(slot: int, data: bytes) -> None:
        if slot == failing:
            raise OSError("a sector is damaged")
        write(slot, data)

    monkeypatch.setattr(life.unit.board, "snapshot_write", fail)
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STORAGE
    assert is_marked(life.flash, False)
    for command, values in (*REQUESTS.values(), (commands.OPEN_SESSION, lambda: SHARE)):
        assert code(life, command, *values()) == (0 if command.needs == commands.NOTHING else errors.STORAGE)
    monkeypatch.undo()
    check_erased(life, False, secrets)


def test_worn_out_nvm_does_not_hold_up_a_unit_whose_case_opens() -> None:
    """Such nvm can neither be marked nor erased, but the files can be erased."""
    life = member(1)
    life.start()
    life.unit.flash.nvm.worn_out = True
    life.unit.case.open()
    for _ in range(3):
        life.firmware.poll()
        assert ask_code(life) == errors.TAMPERED
    assert life.flash.images[1:] == erased(True, 2)[1:]


def ask_code(life: Life) -> int:
    try:
        life.ask(commands.STATUS)
    except errors.UnitError as error:
        return error.code
    return 0
