# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining keys and packages: what voids or uses a key leaves nothing of it."""

import pytest
from hosts.memory import Host
from hosts.network import BINDING, membership
from x25519_reference import public_key

from firmware.joining import ERASE, FIELDS, key_of, package_for, remains, remains_in_files
from ndks_protocol import commands, errors
from ndks_protocol.framing import MAX_PAYLOAD_BEFORE_SESSION


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
