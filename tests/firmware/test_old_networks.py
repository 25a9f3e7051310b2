# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Networks without administrators, and units of state format 3, go on as they are; roles and renewal work there."""

from typing import Any

import pytest
from hosts.administered import Ticked, beacon
from hosts.memory import Host, new_flash, new_unit
from hosts.network import BINDING, SECRET, membership

from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.capsule import header_keys
from ndks_protocol.commands import AGAIN, ALLOW_JUMP, DATA, VERNAM, WIRE_HEADER_SIZE
from ndks_protocol.control.ladder import NEXT_EPOCH, parameters_of, ratchet
from ndks_protocol.network_id import control_key, generation_id, network_id
from ndks_unit.flash.records import GENERATION, MEMBERSHIP, STATE_FORMAT, RecordKeys

LANE, OTHER = 1, 2


@pytest.fixture
def host() -> Host:
    return provisioned()


def provisioned(**changes: Any) -> Host:
    host = Host()
    host.provision(**changes)
    host.open()
    return host


def tick(host: Host, ticks: int = 0) -> Ticked:
    answer = host.ask(commands.TICK, ticks)
    return Ticked(*answer[:-1], bytes(answer[-1]))


def seal(host: Host, token: bytes = bytes(8)) -> tuple[bytes, int]:
    header, epoch = host.ask(commands.SEAL_BEGIN, token, VERNAM, DATA, bytes(8))
    return header + bytes(host.ask(commands.SEAL_CHUNK, token, 0, 1, b"hello")[0]), epoch


def opened(host: Host, capsule: bytes) -> tuple[int, bytes]:
    handle, *_, epoch = host.ask(commands.OPEN_BEGIN, capsule[:WIRE_HEADER_SIZE], AGAIN | ALLOW_JUMP)
    return epoch, bytes(host.ask(commands.OPEN_CHUNK, handle, 0, 1, capsule[WIRE_HEADER_SIZE:])[0])


def test_nothing_of_networks_is_loaded_or_written(host: Host) -> None:
    seal(host)
    host.ask(commands.NEXT_INDEX)
    state = host.firmware.state
    assert state.roles is None
    assert state.log.body(GENERATION) is None
    assert host.status()["generation_id"] == generation_id(CRYPTO, control_key(CRYPTO, SECRET))
    assert host.status()["held"] == b"\0\0" + b"\xff" * 12


def test_it_has_no_notices(host: Host) -> None:
    for g in (0, 1, 65535):
        assert host.code(commands.HINT, g) == errors.NO_EPOCH
        assert host.code(commands.NOTICE, g, bytes(109)) == errors.NO_EPOCH


def test_roles_work_and_write_nothing_but_numbers(host: Host) -> None:
    while not (ticked := tick(host, 1)).role:
        pass
    other = provisioned(lane=OTHER)
    assert other.ask(commands.CONTROL, ticked.capsule) == (commands.HEARD,)
    assert tick(other)[3:5] == (1, LANE)
    assert host.firmware.state.log.body(GENERATION) is None


def test_a_renewal_and_its_keys(host: Host) -> None:
    other = provisioned(lane=OTHER)
    before = opened(other, seal(host)[0])
    assert before == (0, b"hello")
    assert host.ask(commands.RENEW) == (1,)
    secret = ratchet(CRYPTO, SECRET, NEXT_EPOCH, 1)
    status = host.status()
    assert status["network_id"] == network_id(CRYPTO, secret, 1, 3, *parameters_of(CRYPTO, secret))
    capsule, epoch = seal(host, b"token  2")
    assert epoch == 1
    assert opened(other, capsule) == (1, b"hello")
    assert tick(other).epoch == 1, "the message moved it"
    assert opened(host, seal(other)[0]) == (1, b"hello")


def test_the_first_move_takes_the_secret_out_of_the_membership(host: Host) -> None:
    host.ask(commands.RENEW)
    log = host.firmware.state.log
    epoch, *_, secret = (commands.MEMBERSHIP_LAYOUT.unpack(log.body(MEMBERSHIP))[i] for i in (0, 5))
    assert (epoch, secret) == (0, bytes(32))
    host.restart()
    host.open()
    assert (host.status()["epoch"], host.status()["held"][:4]) == (1, b"\0\0\xff\xff")
    assert host.code(commands.NOTICE, 1, bytes(109)) == errors.NO_EPOCH
    host.ask(commands.ROLE, commands.MONITOR)
    host.restart()
    assert tick(host, 16).role == commands.MONITOR


def test_a_mode_is_kept_before_any_move(host: Host) -> None:
    host.ask(commands.ROLE, commands.MONITOR)
    capsule = seal(host)[0]
    host.restart()
    assert tick(host, 16) == Ticked(commands.MONITOR, 0, 0, 0, 0, b"")
    assert host.status()["network_id"] == network_id(CRYPTO, SECRET, 1, 3, membership()[8], membership()[9])
    assert opened(provisioned(lane=OTHER), capsule) == (0, b"hello")


def test_a_message_of_a_later_epoch_moves_it(host: Host) -> None:
    other = provisioned(lane=OTHER)
    other.ask(commands.RENEW)
    assert opened(host, seal(other)[0]) == (1, b"hello")
    assert host.status()["epoch"] == 1


def test_a_beacon_moves_it(host: Host) -> None:
    assert header_keys(CRYPTO, SECRET)
    assert host.ask(commands.CONTROL, beacon(OTHER, 1, 5, 1, secret=SECRET)) == (commands.MOVED,)
    assert host.status()["epoch"] == 5


def labelled(label: int, lane: int = LANE) -> Host:
    """Return the host of a unit whose network's epoch 0 has another name."""
    host = Host()
    values = list(membership(lane=lane))
    values[1] = label
    host.open_anonymously()
    host.ask(commands.PROVISION, *values)
    host.open()
    return host


def test_an_epoch_other_than_0_is_a_label_until_the_first_move() -> None:
    hosts = [labelled(7, LANE), labelled(7, OTHER)]
    capsule, epoch = seal(hosts[0])
    assert epoch == 7
    assert opened(hosts[1], capsule) == (7, b"hello")
    assert tick(hosts[1], 1).epoch == 7
    late, _ = seal(hosts[0], b"token  2")
    assert opened(hosts[1], late) == (7, b"hello")
    assert hosts[0].ask(commands.NEXT_INDEX) == (7, 1)
    assert hosts[0].ask(commands.RENEW) == (1,)
    assert opened(hosts[1], seal(hosts[0], b"token  3")[0]) == (1, b"hello")
    for _ in range(2):
        assert opened(hosts[1], late) == (0, b"hello"), "it is called 0 now"
        hosts[1].restart()
        hosts[1].open()
        assert tick(hosts[1]).epoch == 1


def test_no_exported_key_comes_twice_because_of_a_mode() -> None:
    host = labelled(7)
    first = host.ask(commands.KEY_CHUNK, *host.ask(commands.NEXT_INDEX), 0, 16)
    host.ask(commands.ACKNOWLEDGE, 7, 1, 0)
    host.ask(commands.ROLE, commands.RELAY)
    for _ in range(2):
        assert host.ask(commands.NEXT_INDEX) == (7, 2)
        assert host.ask(commands.KEY_CHUNK, 7, 2, 0, 16) != first
        host.restart()
        host.open()
    host.ask(commands.RENEW)
    assert host.ask(commands.NEXT_INDEX) == (1, 1), "of other keys"


@pytest.mark.parametrize("label", [1, 2])
def test_a_label_is_not_the_epoch_of_that_number(label: int) -> None:
    hosts = [labelled(label, LANE), labelled(label, OTHER)]
    hosts[0].ask(commands.CONTROL, beacon(OTHER, 1, label, 1, secret=SECRET))
    assert bytes(hosts[0].firmware.state.member.secret) == ratchet(CRYPTO, SECRET, NEXT_EPOCH, label)
    capsule, epoch = seal(hosts[0])
    assert epoch == label
    assert opened(hosts[1], capsule) == (label, b"hello")
    assert bytes(hosts[1].firmware.state.member.secret) == ratchet(CRYPTO, SECRET, NEXT_EPOCH, label)


# State format 3


def of_format_3() -> Host:
    """Return the host of a unit whose flash was written by the firmware before."""
    host = provisioned()
    host.ask(commands.ACKNOWLEDGE, 0, 4, 0)
    seal(host)
    keys = RecordKeys(CRYPTO)
    flash = new_flash()
    end = 0
    keys.set_auth(BindingKeys(CRYPTO, BINDING).auth)
    keys.set_kek(BindingKeys(CRYPTO, BINDING).kek)
    log = host.firmware.state.log
    for sequence, (kind, body) in enumerate(sorted(log._bodies.items()), 1):
        content = b"\3" + bytes(body)[1:] if kind == STATE_FORMAT else body
        record = keys.encode(kind, content, sequence)
        flash.nvm.write(end, bytes(record))
        end += len(record) + (64 if kind in (0x80, 0x82) else 0)
    return Host(new_unit(flash))


def test_a_member_of_format_3_goes_on() -> None:
    host = of_format_3()
    assert commands.HELLO.answer.unpack(host.hello())[3:6] == (3, commands.STATE_LOCKED, 0)
    host.open()
    assert host.ask(commands.NEXT_INDEX) == (0, 5)
    assert host.status()["message_counter"] >= 1
    assert opened(provisioned(lane=OTHER), seal(host)[0]) == (0, b"hello")


def test_format_4_comes_with_the_next_image() -> None:
    host = of_format_3()
    host.open()
    assert host.firmware.state.log.format == 3
    host.firmware.state.log.compact()
    host.restart()
    assert host.firmware.state.log.format == 4
    host.open()
    assert host.ask(commands.NEXT_INDEX) == (0, 5)


@pytest.mark.parametrize("change", ["renewal", "mode"])
def test_format_4_comes_before_the_first_record_of_networks(change: str) -> None:
    host = of_format_3()
    host.open()
    written: list[int] = []
    log = host.firmware.state.log
    append = log.append

    def watched(kind: int, body: bytes) -> None:
        written.append(kind)
        append(kind, body)

    log.append = watched  # type: ignore[method-assign]
    if change == "mode":
        host.ask(commands.ROLE, commands.RELAY)
    else:
        host.ask(commands.RENEW)
    assert written[:2] == [STATE_FORMAT, GENERATION]
    assert log.format == 4
