# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Erasure when the case opens, at any time."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hosts.network import membership
from hosts.sessions import SHARE

from firmware.erasures import REQUESTS, TAMPERED, all_secrets, check_erased, code, erased
from firmware.life import Life, member, remains
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE

MOMENTS: dict[str, Callable[[Life], object]] = {
    "locked": Life.start,
    "after a wrong proof": lambda life: (life.start(), _prove_wrongly(life)),
    "a session is open": Life.open,
    "a message is being sealed": lambda life: (life.open(), life.seal()),
    "nobody is there": lambda life: (life.open(), setattr(life.unit.line, "connected", False)),
}


def _prove_wrongly(life: Life) -> None:
    life.ask(commands.HELLO)
    life.ask(commands.OPEN_SESSION, *SHARE)
    assert code(life, commands.PROVE, bytes(16)) == errors.LOCKED


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("compactions", [0, 2])
def test_opening_the_case_erases_everything(moment: str, compactions: int) -> None:
    life = member(compactions)
    secrets = all_secrets(life)
    MOMENTS[moment](life)
    life.unit.case.open()
    life.unit.case.close()
    life.firmware.poll()
    assert not remains(life.flash, secrets)
    assert life.flash.images == erased(True, compactions + 1)
    assert life.firmware.state.lifecycle == TAMPERED
    life.unit.line.connected = True
    check_erased(life, True, secrets)


def test_case_that_opened_while_the_power_was_off() -> None:
    life = member()
    secrets = all_secrets(life)
    life.unit.case.open()
    life.start()
    assert life.firmware.state.lifecycle == TAMPERED
    assert not remains(life.flash, secrets)
    life.unit.case.close()
    check_erased(life, True, secrets)


def test_case_that_opens_while_a_unit_is_blank() -> None:
    life = Life()
    life.start()
    life.unit.case.open()
    assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED
    assert life.flash.images == [b"\xff" * NVM_SIZE] * 3
    life.unit.case.close()
    assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED, "nobody knows what was done meanwhile"
    life.start()
    life.host.provision()


def test_a_flood_of_bytes_does_not_hold_up_the_erasure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes never form a complete frame."""
    life = member()
    life.open()
    bound: list[bool] = []

    def receive() -> int:
        bound.append(life.firmware.state.binding is not None)
        life.unit.case.open()
        life.unit.board.received = b"\1" * 64 if len(bound) < 100 else b""
        return len(life.unit.board.received)

    life.unit.clock = count().__next__  # a unit looks at the switch once a millisecond
    monkeypatch.setattr(life.unit.board, "receive", receive)
    for _ in range(2):
        life.firmware.poll()
    assert True not in bound[10:]
    assert life.firmware.state.lifecycle == TAMPERED


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_during_which_the_case_opens_is_not_answered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    life = member()
    secrets = all_secrets(life)
    life.open()
    command, values = REQUESTS[name]
    dispatch = life.firmware._dispatch

    def open_case(*arguments: Any) -> int:
        size = dispatch(*arguments)
        life.unit.case.open()
        life.unit.case.close()
        return size

    monkeypatch.setattr(life.firmware, "_dispatch", open_case)
    assert code(life, command, *values()) == errors.TAMPERED
    assert life.firmware.state.lifecycle == TAMPERED
    assert not remains(life.flash, secrets)
    check_erased(life, True, secrets)


@pytest.mark.parametrize("command", ["ACKNOWLEDGE", "BIND", "ZEROIZE"])
def test_case_opens_between_any_two_writes_of_a_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = member(1, 112)
    requests = {
        "ACKNOWLEDGE": (commands.ACKNOWLEDGE, 0, 50, 0),
        "BIND": (commands.BIND, bytes(range(100, 132))),
        "ZEROIZE": (commands.ZEROIZE, commands.CONFIRMATION, full.unit.board.uid),
    }
    for write in range(1, 5):
        life = full.clone()
        secrets = all_secrets(life)
        life.open()
        writes = 0

        def count(*arguments: Any, method: Callable[..., None], life: Life = life, last: int = write) -> None:
            nonlocal writes
            writes += 1
            if writes == last:
                life.unit.case.open()
                life.unit.case.close()
            method(*arguments)

        for name in ("nvm_write", "snapshot_write"):
            method = getattr(life.unit.board, name)
            monkeypatch.setattr(life.unit.board, name, lambda *a, method=method: count(*a, method=method))
        opened = code(life, *requests[command])
        monkeypatch.undo()
        if writes < write:
            break
        assert opened == (0 if command == "ZEROIZE" else errors.TAMPERED), "ZEROIZE has done what it should"
        assert life.firmware.state.lifecycle == TAMPERED, "as long as it runs"
        check_erased(life, tampered=command != "ZEROIZE", secrets=secrets)
