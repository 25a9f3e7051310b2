# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What voids or uses a joining key leaves nothing of it, whenever the power fails or a host leaves."""

from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host, before_each, new_unit
from hosts.network import BINDING
from support.power_cuts import PowerCuts

from firmware.joining import ERASE, key_of, package_for, remains, remains_in_files
from firmware.life import Life
from ndks_protocol import commands, errors, framing


def make_key(life: Life) -> None:
    life.start()
    life.ask(commands.JOINING_KEY)


def provision(life: Life) -> None:
    life.start()
    if not life.firmware.state.binding:
        life.host.provision()


def provision_sealed(life: Life) -> None:
    life.start()
    private = key_of(life.host)
    if not life.firmware.state.binding and private:
        life.ask(commands.PROVISION_SEALED, BINDING, package_for(private))


def zeroize(life: Life) -> None:
    life.start()
    life.ask(commands.ZEROIZE, ERASE, life.unit.board.uid)


def open_case(life: Life) -> None:
    life.start()
    life.unit.case.open()
    life.unit.poll()


def with_keys(count: int, *, fine: bool = True) -> tuple[Life, list[bytes]]:
    """Return a blank unit that has made so many keys, and these keys."""
    life, privates = Life(), []
    for _ in range(count):
        life.ask(commands.JOINING_KEY)
        privates.append(key_of(life.host))
    life.unit.power.fine = fine
    return life, privates


def next_key(life: Life) -> bytes:
    """Return the private key that the unit will take for the next joining key."""
    life = life.clone()
    life.start()
    return bytes(life.firmware.state.session.ephemeral.private)


Step = Callable[[Life], Any]
OPERATIONS: dict[str, tuple[int, Step]] = {
    "the first key": (0, make_key),
    "the second key": (1, make_key),
    "the third key": (2, make_key),
    "PROVISION": (1, provision),
    "PROVISION_SEALED": (2, provision_sealed),
    "ZEROIZE": (1, zeroize),
    "an opened case": (1, open_case),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_cut_at_every_step(name: str, power_cuts: PowerCuts) -> None:
    """Afterwards the unit has the key from before, the new one, or none; and what comes next leaves no trace of any."""
    count, operation = OPERATIONS[name]
    life, privates = with_keys(count)
    known = [*privates, next_key(life)]
    for cut in power_cuts.cuts(life, operation, at_most=120):
        cut.unit.case.is_open = False
        cut.start()
        assert key_of(cut.host) in {b"", *known[-2:]}
        assert not remains_in_files(cut.host, *known)
        assert not remains(cut.host, *known[:-2]), "of those that were void before"
        for then in (make_key, provision, zeroize):
            after = cut.clone()
            if after.firmware.state.lifecycle == commands.STATE_TAMPERED:
                zeroize(after)
            if after.firmware.state.binding:
                assert not remains(after.host, *known), "a member has no trace of its joining key"
                continue
            then(after)
            left = {key_of(after.host)} - {b""}
            assert not remains(after.host, *set(known) - left)
            if then is provision:
                after.open()
                assert after.ask(commands.NEXT_INDEX) == (0, 1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_second_cut_while_it_is_done_again(name: str, power_cuts: PowerCuts) -> None:
    count, operation = OPERATIONS[name]
    life, privates = with_keys(count, fine=False)
    known = [*privates, next_key(life)]
    for once in power_cuts.cuts(life, operation, at_most=6):
        once.start()
        for twice in power_cuts.cuts(once, operation, at_most=6):
            twice.unit.case.is_open = False
            twice.start()
            if twice.firmware.state.lifecycle == commands.STATE_TAMPERED:
                zeroize(twice)
            if not twice.firmware.state.binding:
                make_key(twice)
                provision_sealed(twice)
            assert not remains(twice.host, *known)
            twice.open()


@pytest.mark.parametrize("key", [0, 1])
def test_a_cut_during_provisioning_leaves_a_blank_unit_or_a_member(key: int, power_cuts: PowerCuts) -> None:
    life, _ = with_keys(key)
    power_cuts.check(life, provision, at_most=60)


@pytest.mark.parametrize("binding", [None, BINDING], ids=["blank", "bound"])
def test_a_cut_at_any_moment_of_a_handshake(binding: bytes | None, power_cuts: PowerCuts) -> None:
    """A handshake writes nothing, so nothing can be torn; the next one has other keys."""
    life = Life()
    if binding:
        life.host.provision()
    uses = [0]
    cut_at = [0]

    def use() -> None:
        uses[0] += 1
        if uses[0] == cut_at[0]:
            life.unit.power.cut()
            life.unit.power.check()

    before_each(life.unit.board, ("sha256", "entropy"), use)

    def authenticate(moment: int) -> bool:
        """Start and open a session, with the power cut at this use of SHA-256 or entropy; 0 means never."""
        life.start()
        flash = life.flash.images
        uses[0], cut_at[0] = 0, moment
        is_whole = life.unit.power.survives(1 << 30, lambda: life.host.authenticate(binding))
        cut_at[0] = 0
        assert life.flash.images == flash
        return is_whole

    assert authenticate(0)
    publics = [life.host.said.unit_public]
    for moment in power_cuts.points(uses[0] - 1, at_most=12):
        assert not authenticate(moment + 1)
        assert authenticate(0)
        publics.append(life.host.said.unit_public)
    assert len(set(publics)) == len(publics)


def test_a_host_that_leaves_at_any_byte_of_a_handshake() -> None:
    """The next one opens a session; a proof without an opening of its own is none."""
    host = Host(new_unit(), opens=False)
    for binding in (None, BINDING):
        if binding:
            host.provision()
        host.hello()
        for left in range(0, 80, 7):
            host.begin(binding)
            assert host.session
            sent = host.session.host_proof
            frame = _frame(commands.PROVE, sent)
            host.unit.write(frame[: min(left, len(frame) - 1)])
            host.disconnect()
            assert host.code(commands.PROVE, sent) == errors.CONFLICT
            opening = _frame(commands.OPEN_SESSION, bytes(range(48)))
            host.unit.write(opening[: min(left, len(opening) - 1)])
            host.disconnect()
            host.authenticate(binding)
            host.disconnect()
            assert host.firmware.state.session.channel is None
            assert host.status()["wrong_attempts"] == 0


def _frame(command: commands.Command, payload: bytes) -> bytes:
    return framing.encode(command.code, 5, payload)
