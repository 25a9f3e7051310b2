# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of modules that a unit loads for one request: they go, and a unit whose drive is damaged goes on."""

import builtins
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from conversation import sealed
from hosts.administered import Member, beacon, enrolment, message
from hosts.memory import Host, complete_pair
from hosts.network import BINDING, membership
from hosts.sessions import SHARE

from ndks_protocol import commands, errors
from ndks_unit import dispatcher, on_demand
from ndks_unit.flash.records import GENERATION, JOINING_KEY
from ndks_unit.network.layout import AT_SETTLED, NOT_SETTLED, SETTLED
from ndks_unit.on_demand import unlinking

RARE = [commands.TABLE[code] for code in dispatcher.ON_DEMAND]
NEED_A_BLANK_UNIT = commands.PROVISION, commands.PROVISION_SEALED, commands.ENROL, commands.JOINING_KEY
TAKE_A_PACKAGE = commands.PROVISION_SEALED, commands.ENROL
HANDLERS = {f"{on_demand.__name__}.{name}" for name in dispatcher.ON_DEMAND.values()}
AGREEMENT = f"{on_demand.__name__}.key_agreement"
CRYPTOGRAPHY = {f"ndks_protocol.{name}" for name in ("curve25519", "public_key", "x25519", "sealed_package")}
NEW_BINDING = bytes(range(32))
NEEDED = {  # by a command, if a pair is ready
    commands.OPEN_SESSION: ("key_agreement", "curve25519", "x25519"),
    commands.JOINING_KEY: ("key_agreement",),
    **dict.fromkeys(TAKE_A_PACKAGE, ("key_agreement", "curve25519", "x25519", "sealed_package")),
}


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have loaded: a unit keeps that."""
    for name in HANDLERS | CRYPTOGRAPHY | {AGREEMENT}:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)


def loaded() -> set[str]:
    """Return what is loaded, in sys.modules or in a package."""
    names = HANDLERS | CRYPTOGRAPHY | {AGREEMENT}
    packages = {name: vars(sys.modules[name.rpartition(".")[0]]) for name in names}
    return {name for name in names if name in sys.modules or name.rpartition(".")[2] in packages[name]}


def request_of(host: Host, command: commands.Command) -> tuple[Any, ...]:
    joining_key = host.firmware.state.log.body(JOINING_KEY)
    fields = enrolment(1) if command is commands.ENROL else commands.PROVISION.request.pack(*membership())[32:]
    package = sealed(bytes(joining_key[:32]), fields) if joining_key else b""
    requests: dict[int, tuple[Any, ...]] = {
        commands.PROVISION.code: membership(),
        commands.PROVISION_SEALED.code: (NEW_BINDING, package),
        commands.ENROL.code: (NEW_BINDING, package),
        commands.JOINING_KEY.code: (),
        commands.BIND.code: (NEW_BINDING,),
        commands.TRUST.code: (2, bytes(range(16))),
        commands.ZEROIZE.code: (commands.CONFIRMATION, host.unit.board.uid),
        commands.OPEN_SESSION.code: SHARE,
    }
    return requests[command.code]


def host_for(command: commands.Command) -> Host:
    """Return the host of a unit that can do this command."""
    host = Host()
    if command in TAKE_A_PACKAGE:
        host.ask(commands.JOINING_KEY)
    if command not in NEED_A_BLANK_UNIT:
        host.provision()
        host.open()
    elif command.needs & commands.PROVED:
        host.open_anonymously()
    if command is commands.OPEN_SESSION:
        host.hello()  # which ends the session, and begins a pair
    complete_pair(host.unit)
    return host


@pytest.mark.parametrize("command", RARE, ids=lambda command: command.name)
def test_the_module_is_dropped_after_its_request(command: commands.Command) -> None:
    host = host_for(command)
    for _ in range(2):  # also after a refusal
        host.code(command, *request_of(host, command))
        complete_pair(host.unit)
        assert not loaded()


@pytest.mark.parametrize("command", RARE, ids=lambda command: command.name)
def test_nothing_else_stays_loaded(command: commands.Command) -> None:
    host = host_for(command)
    before = set(sys.modules)
    host.ask(command, *request_of(host, command))
    complete_pair(host.unit)
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
        patch.setattr(builtins, "__import__", failing(builtins.__import__, HANDLERS, failure))
        expected = errors.INTERNAL if failure is MemoryError else errors.STORAGE
        assert host.code(command, *request_of(host, command)) == expected
    assert not loaded()
    assert host.unit.flash.nvm.content == flash.nvm.content
    assert host.firmware.state.lifecycle == lifecycle
    host.restart()
    assert host.code(command, *request_of(host, command)) == 0


def failing(load: Callable[..., Any], modules: set[str], failure: type[Exception]) -> Callable[..., Any]:
    """Return an import that fails in the middle of a module loaded on demand."""

    def fail(name: str, *rest: Any) -> Any:
        module = load(name, *rest)
        if name in modules:
            raise failure("the secret is 0001020304")
        return module

    return fail


@pytest.mark.parametrize("failure", [MemoryError, OSError, SyntaxError])
@pytest.mark.parametrize("name", sorted({AGREEMENT, *CRYPTOGRAPHY}))
@pytest.mark.parametrize("command", NEEDED, ids=lambda command: command.name)
def test_cryptography_that_cannot_be_loaded(
    command: commands.Command, name: str, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs it is refused; what does with the pair that is ready is done; the unit goes on."""
    host = host_for(command)
    request, needs_it = request_of(host, command), name.rpartition(".")[2] in NEEDED[command]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", failing(builtins.__import__, {name}, failure))
        refusal = errors.INTERNAL if failure is MemoryError else errors.STORAGE
        assert host.code(command, *request) == (refusal if needs_it else 0)
        complete_pair(host.unit)
        assert not loaded()
    host.disconnect()
    if host.firmware.state.binding:
        host.open(BINDING if command is commands.OPEN_SESSION else NEW_BINDING)
    else:
        host.open_anonymously()


def test_a_refused_request_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.provision()
    host.open()
    monkeypatch.setattr(on_demand, "load", lambda *names: pytest.fail("loaded"))
    assert host.code(commands.PROVISION, *membership()) == errors.PROVISIONED
    assert host.refusal(commands.ZEROIZE, b"too short") == errors.BAD_REQUEST
    assert host.refusal(commands.BIND, b"too short") == errors.BAD_REQUEST


def test_an_opened_case_erases_without_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive may be damaged in that moment."""
    host = Host()
    host.provision()
    monkeypatch.setattr(on_demand, "load", lambda *names: pytest.fail("loaded"))
    host.unit.case.is_open = True
    host.unit.poll()
    assert host.unit.firmware.state.lifecycle == commands.STATE_TAMPERED


def test_packages_are_left_without_their_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but imports looks for them there; other names of packages stay."""
    package, module = SimpleNamespace(MAJOR=3), SimpleNamespace()
    package.wire = module
    modules = {"package": package, "package.wire": module, "other": SimpleNamespace(wire=1)}
    monkeypatch.setattr(unlinking, "sys", SimpleNamespace(modules=modules))
    unlinking.unlink_modules()
    assert vars(package) == {"MAJOR": 3}
    assert vars(modules["other"]) == {"wire": 1}
    assert set(modules) == {"package", "package.wire", "other"}


# Networks

INTERRUPTED = "ndks_unit.network.interrupted"
OF_NETWORKS = {
    *(f"ndks_protocol.control.{name}" for name in ("beacon", "capsules", "ladder", "notice", "rows")),
    *(f"ndks_unit.network.{name}" for name in ("beacons", "entering", "epochs", "held", "interrupted", "seldom")),
}


@pytest.fixture
def nothing_of_networks_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_NETWORKS:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)


def live(member: Member) -> None:
    """Use all commands of networks."""
    member.enter(1, (9,))
    member.hear(beacon(2, 1, 1 << 16 | 2, 1))
    member.open(message(2, 2, 0), vouched=True)
    member.wait(64)
    member.renew()
    member.tick(0)
    member.host.ask(commands.HINT, 7)
    member.host.ask(commands.ROLE, commands.RELAY)
    member.host.ask(commands.KEY_CHUNK, 1 << 16, 1, 0, 16)
    member.status()


@pytest.mark.usefixtures("nothing_of_networks_loaded")
def test_no_module_of_networks_stays_loaded() -> None:
    member = Member()
    before = set(sys.modules)
    live(member)
    assert not OF_NETWORKS & set(sys.modules)
    assert {name for name in set(sys.modules) - before if name.startswith("ndks_")} == set()


@pytest.mark.usefixtures("nothing_of_networks_loaded")
def test_members_of_other_networks_load_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.provision()
    host.open()
    monkeypatch.setattr(builtins, "__import__", failing(builtins.__import__, OF_NETWORKS, ImportError))
    host.ask(commands.SEAL_KEYS, bytes(8), 0, 0, bytes(8))
    host.ask(commands.KEY_CHUNK, 0, 1, 0, 16)
    assert host.status()["lane"] == 1
    assert host.code(commands.TICK, 1) == errors.STORAGE, "a drive that is damaged"
    assert host.ask(commands.NEXT_INDEX) == (0, 1)


@pytest.mark.usefixtures("nothing_of_networks_loaded")
@pytest.mark.parametrize("failure", [MemoryError, OSError, ImportError, SyntaxError])
def test_a_module_of_networks_that_cannot_be_loaded(failure: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has changed, whichever module it is, and the command works once it can be loaded."""
    member = Member()
    images = member.host.unit.flash.images
    of_others = {"ndks_protocol.control.rows", "ndks_unit.network.held", INTERRUPTED}
    for name in sorted(OF_NETWORKS - of_others):
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", failing(builtins.__import__, {name}, failure))
            if name not in ("ndks_protocol.control.beacon", "ndks_unit.network.beacons"):
                assert member.enter_code(1) == (errors.INTERNAL if failure is MemoryError else errors.STORAGE), name
        assert not OF_NETWORKS & set(sys.modules)
        assert member.host.unit.flash.images == images
    assert member.enter(1) == 1 << 16


@pytest.mark.usefixtures("nothing_of_networks_loaded")
def test_a_unit_opens_without_the_module_for_what_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that cannot write: what is superseded goes at a later UNLOCK."""
    member = Member()
    body = member.state.log.body(GENERATION)
    body[AT_SETTLED] = NOT_SETTLED
    member.state.log.append(GENERATION, body)
    member.host.restart()
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", failing(builtins.__import__, {INTERRUPTED}, SyntaxError))
        member.host.open()
        assert member.seal()[1] == 0
        assert member.state.log.body(GENERATION)[AT_SETTLED] == NOT_SETTLED
    member.host.restart()
    member.host.open()
    assert member.state.log.body(GENERATION)[AT_SETTLED] == SETTLED
