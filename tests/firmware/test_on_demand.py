# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of modules that a unit loads for one request: they go, and a unit whose drive is damaged goes on."""

import builtins
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host
from hosts.network import membership

from ndks_protocol import commands, errors
from ndks_unit import dispatcher, on_demand

RARE = [commands.TABLE[code] for code in dispatcher.ON_DEMAND]
MODULES = set(dispatcher.ON_DEMAND.values())
PREFIX = on_demand.__name__ + "."
NEW_BINDING = bytes(range(32))


def loaded() -> set[str]:
    return {name for name in sys.modules if name.startswith(PREFIX)} | (vars(on_demand).keys() & MODULES)


def request_of(host: Host, command: commands.Command) -> tuple[Any, ...]:
    requests: dict[int, tuple[Any, ...]] = {
        commands.PROVISION.code: membership(),
        commands.BIND.code: (NEW_BINDING,),
        commands.TRUST.code: (2, bytes(range(16))),
        commands.ZEROIZE.code: (commands.CONFIRMATION, host.unit.board.uid),
    }
    return requests[command.code]


def host_for(command: commands.Command) -> Host:
    """Return the host of a unit that can do this command."""
    host = Host()
    if command is not commands.PROVISION:
        host.provision()
        host.open()
    return host


@pytest.mark.parametrize("command", RARE, ids=lambda command: command.name)
def test_the_module_is_dropped_after_its_request(command: commands.Command) -> None:
    host = host_for(command)
    for _ in range(2):  # also after a refusal
        host.code(command, *request_of(host, command))
        assert not loaded()


@pytest.mark.parametrize("command", RARE, ids=lambda command: command.name)
def test_nothing_else_stays_loaded(command: commands.Command) -> None:
    host = host_for(command)
    before = set(sys.modules)
    host.ask(command, *request_of(host, command))
    assert {name for name in set(sys.modules) - before if name.startswith("ndks_")} == set()


@pytest.mark.parametrize("failure", [MemoryError, OSError, ImportError, SyntaxError, ValueError])
@pytest.mark.parametrize("command", RARE, ids=lambda command: command.name)
def test_a_module_that_cannot_be_loaded(
    command: commands.Command, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is an error code, nothing has changed, and the command works once the module can be loaded."""
    host = host_for(command)
    flash, lifecycle = host.unit.flash.clone(), host.firmware.state.lifecycle
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", failing(builtins.__import__, failure))
        expected = errors.INTERNAL if failure is MemoryError else errors.STORAGE
        assert host.code(command, *request_of(host, command)) == expected
    assert not loaded()
    assert host.unit.flash.nvm.content == flash.nvm.content
    assert host.firmware.state.lifecycle == lifecycle
    host.restart()
    assert host.code(command, *request_of(host, command)) == 0


def failing(load: Callable[..., Any], failure: type[Exception]) -> Callable[..., Any]:
    """Return an import that fails in the middle of a module loaded on demand."""

    def fail(name: str, *rest: Any) -> Any:
        module = load(name, *rest)
        if name.startswith(PREFIX):
            raise failure("the secret is 0001020304")
        return module

    return fail


def test_a_refused_request_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.provision()
    monkeypatch.setattr(on_demand, "load", lambda name: pytest.fail("loaded"))
    assert host.code(commands.PROVISION, *membership()) == errors.PROVISIONED
    assert host.refusal(commands.ZEROIZE, b"too short") == errors.BAD_REQUEST
    assert host.refusal(commands.BIND, b"too short") == errors.BAD_REQUEST


def test_an_opened_case_erases_without_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive may be damaged in that moment."""
    host = Host()
    host.provision()
    monkeypatch.setattr(on_demand, "load", lambda name: pytest.fail("loaded"))
    host.unit.case.is_open = True
    host.unit.poll()
    assert host.unit.firmware.state.lifecycle == commands.STATE_TAMPERED
