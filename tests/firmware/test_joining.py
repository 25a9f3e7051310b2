# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining keys and packages: what voids or uses a key leaves nothing of it, whenever the power fails."""

from collections.abc import Callable
from typing import Any

import pytest
from conversation import sealed
from hosts.memory import Host, before_each, new_unit
from hosts.network import BINDING, membership
from support.pieces import pieces
from support.power_cuts import PowerCuts
from x25519_reference import public_key

from firmware.life import Life
from ndks_protocol import commands, errors, framing
from ndks_protocol.framing import MAX_PAYLOAD_BEFORE_SESSION
from ndks_unit.flash.records import JOINING_KEY

FIELDS = commands.PROVISION.request.pack(*membership())[32:]
ERASE = commands.CONFIRMATION


def key_of(host: Host) -> bytes:
    """Return the private joining key in the unit's memory, or b""."""
    return bytes(host.firmware.state.log.body(JOINING_KEY) or b"")[:32]


def package_for(private: bytes, fields: bytes = FIELDS) -> bytes:
    return sealed(private, fields)


def remains(host: Host, *privates: bytes) -> list[bytes]:
    """Return the pieces of these keys in nvm and files."""
    wanted = {piece for private in privates for piece in pieces(private)}
    return [piece for image in host.unit.flash.images for piece in wanted & pieces(image)]


def remains_in_files(host: Host, *privates: bytes) -> list[bytes]:
    wanted = {piece for private in privates for piece in pieces(private)}
    return [piece for image in host.unit.flash.images[1:] for piece in wanted & pieces(image)]


class TestKey:
    def test_it_is_answered_and_opens_a_package(self) -> None:
        host = Host()
        (public,) = host.ask(commands.JOINING_KEY)
        private = key_of(host)
        assert public == public_key(private)
        host.ask(commands.PROVISION_SEALED, BINDING, package_for(private))
        assert not remains(host, private, public)
        host.open()
        assert host.ask(commands.NEXT_INDEX) == (0, 1)

    def test_a_sealed_membership_is_the_same_as_an_open_one(self) -> None:
        statuses = []
        for is_sealed in (False, True):
            host = Host()
            host.ask(commands.JOINING_KEY)
            if is_sealed:
                host.ask(commands.PROVISION_SEALED, BINDING, package_for(key_of(host)))
            else:
                host.provision()
            host.open()
            statuses.append(host.status())
        assert statuses[0] == statuses[1]

    def test_it_survives_restarts_and_what_is_refused(self) -> None:
        host = Host()
        host.ask(commands.JOINING_KEY)
        private = key_of(host)
        for _ in range(3):
            host.restart()
            assert key_of(host) == private
            assert host.code(commands.PROVISION, *membership(lane=0)) == errors.RANGE
            assert host.code(commands.PROVISION_SEALED, BINDING, package_for(bytes(32))) == errors.PACKAGE
            assert host.code(commands.PROVISION_SEALED, BINDING, package_for(private, FIELDS[1:])) == errors.BAD_REQUEST
            assert host.code(commands.ZEROIZE, ERASE, b"12345678") == errors.RANGE
        assert key_of(host) == private

    def test_another_one_voids_it(self) -> None:
        host = Host()
        voided: list[bytes] = []
        for number in range(4):
            host.ask(commands.JOINING_KEY)
            assert not remains(host, *voided)
            for private in voided:
                assert host.code(commands.PROVISION_SEALED, BINDING, package_for(private)) == errors.PACKAGE
            voided.append(key_of(host))
            if number % 2:
                host.restart()
        assert len(set(voided)) == 4
        host.ask(commands.PROVISION_SEALED, BINDING, package_for(voided[-1]))

    @pytest.mark.parametrize("drive", ["writable", "read only", "missing"])
    def test_no_file_ever_has_it(self, drive: str) -> None:
        host = Host()
        host.unit.flash.drive_is_writable = drive == "writable"
        if drive == "missing":
            host.unit.flash.snapshots = [None, None]
        privates: list[bytes] = []
        for _ in range(60):  # more than fit into nvm
            host.ask(commands.JOINING_KEY)
            privates.append(key_of(host))
            assert not remains_in_files(host, *privates)
        host.provision()
        assert not remains(host, *privates)

    def test_a_package_is_used_once(self) -> None:
        host = Host()
        host.ask(commands.JOINING_KEY)
        package = package_for(key_of(host))
        host.ask(commands.PROVISION_SEALED, BINDING, package)
        host.open()
        assert host.code(commands.PROVISION_SEALED, BINDING, package) == errors.PROVISIONED
        host.hello()
        host.ask(commands.ZEROIZE, ERASE, host.unit.board.uid)
        assert host.code(commands.PROVISION_SEALED, BINDING, package) == errors.NO_JOINING_KEY
        host.ask(commands.JOINING_KEY)
        assert host.code(commands.PROVISION_SEALED, BINDING, package) == errors.PACKAGE

    def test_another_units_package(self) -> None:
        hosts = Host(), Host()
        packages = []
        for host in hosts:
            host.ask(commands.JOINING_KEY)
            packages.append(package_for(key_of(host)))
        for host, package in zip(hosts, reversed(packages), strict=True):
            assert host.code(commands.PROVISION_SEALED, BINDING, package) == errors.PACKAGE
        for host, package in zip(hosts, packages, strict=True):
            host.ask(commands.PROVISION_SEALED, BINDING, package)

    def test_any_altered_byte(self) -> None:
        host = Host()
        host.ask(commands.JOINING_KEY)
        package = package_for(key_of(host))
        for position in range(0, len(package), 3):
            altered = package[:position] + bytes([package[position] ^ 0x20]) + package[position + 1 :]
            assert host.code(commands.PROVISION_SEALED, BINDING, altered) == errors.PACKAGE
        for size in range(0, len(package), 7):
            assert host.code(commands.PROVISION_SEALED, BINDING, package[:size]) == errors.PACKAGE
        host.ask(commands.PROVISION_SEALED, BINDING, package)

    def test_the_longest_membership_fits(self) -> None:
        host = Host()
        host.ask(commands.JOINING_KEY)
        longest = membership(name="n" * 32, p1="0." + "5" * 78, p2="25." + "7" * 77)
        fields = commands.PROVISION.request.pack(*longest)[32:]
        assert len(fields) > MAX_PAYLOAD_BEFORE_SESSION
        host.ask(commands.PROVISION_SEALED, BINDING, package_for(key_of(host), fields))
        host.open()

    def test_nvm_that_cannot_be_written(self) -> None:
        """No answer has a key that is not in flash."""
        host = Host()
        host.unit.flash.nvm.worn_out = True
        assert host.code(commands.JOINING_KEY) == errors.STORAGE
        host.unit.flash.nvm.worn_out = False
        host.ask(commands.JOINING_KEY)
        package = package_for(key_of(host))
        host.unit.flash.nvm.worn_out = True
        assert host.code(commands.JOINING_KEY) == errors.STORAGE
        assert host.code(commands.PROVISION_SEALED, BINDING, package) == errors.STORAGE
        host.unit.flash.nvm.worn_out = False
        host.ask(commands.PROVISION_SEALED, BINDING, package)

    def test_an_erasure_that_cannot_be_completed_is_not_tried_in_each_turn(self) -> None:
        """The files are not writable when the case is opened."""
        host = Host()
        host.ask(commands.JOINING_KEY)
        private = key_of(host)
        host.unit.flash.drive_is_writable = False
        host.unit.case.open()
        host.unit.poll()
        erases = host.unit.flash.nvm.erases
        for _ in range(5):
            host.unit.poll()
        host.hello()
        assert host.status()["state"] == commands.STATE_TAMPERED
        assert host.code(commands.JOINING_KEY) == errors.TAMPERED
        assert host.unit.flash.nvm.erases == erases
        host.unit.flash.drive_is_writable = True
        host.restart()
        assert not remains(host, private)


# Power cuts


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
