# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attackers of a network with administrators, against agents and administrators; what they get is in SECURITY.md.

Those who need a unit's own rules are in tests/network, and in `make network-demo`.
"""

import copy
from pathlib import Path

import pytest
from support.agents import NETWORK, ROOT, Host, administrator, deliver, joined, talk, unit_of

from ndks.agent.events import LeftOut
from ndks.agent.packets import Message
from ndks.agent.running.office import Office
from ndks.crypto import CRYPTO, EphemeralKey
from ndks.exceptions import DeviceError
from ndks.network import administrator_file
from ndks.network.administrator import Administrator
from ndks.network.administrator_record import BadRecord, Record
from ndks.network.bundle import Bundle
from ndks.network.join_request import JoinRequest
from ndks.network.member_package import MEMBERSHIP, seal_member
from ndks_protocol import errors, sealed_package
from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.control.ladder import hint_of
from ndks_protocol.control.limits import BEACON_SIZE
from ndks_protocol.fields import unpack
from ndks_protocol.wire import MESSAGE, WIRE_HEADER_SIZE


def network(count: int = 3) -> tuple[Administrator, list[Host]]:
    admin = administrator()
    return admin, joined(admin, count)


def forged(thief: Host, lane: int, s: int, text: bytes) -> bytes:
    """Return a message that a thief seals in a member's name."""
    return thief.unit.seal(MESSAGE, Message(s, 0, text).packed(), lane)[0]


def copied(host: Host, public: bytes) -> Host:
    """Return a copy of unit and laptop, made unseen."""
    return Host(copy.deepcopy(host.unit), public)


def texts(host: Host) -> list[bytes]:
    return [text for _, _, text in host.delivered]


def test_thief_of_a_unit_and_its_laptop_before_the_others_hear_of_it() -> None:
    """Until then he is a member: he reads, forges in any name, and uses up numbers; what was delivered stays so."""
    admin, (sender, receiver, thief) = network()
    secret = sender.send(b"secret")
    thief.receive(*secret)
    receiver.receive(*secret, forged(thief, sender.unit.lane, 2, b"forged"))
    receiver.receive(*sender.send(b"true"))
    assert texts(thief) == [b"secret"]
    assert texts(receiver) == [b"secret", b"forged"]
    admin.revoke([thief.unit.lane])
    deliver([sender, receiver], [(thief, admin.issue().content)])
    talk([sender, receiver], 100)
    assert texts(receiver) == [b"secret", b"forged"]


def test_revoked_thief_with_unit_laptop_and_a_recording_of_everything() -> None:
    admin, (sender, receiver, thief) = network()
    recording = sender.send(b"before")
    admin.revoke([thief.unit.lane])
    bundle = admin.issue()
    for host in (sender, receiver):
        host.receive(bundle.content)
    heard = len(receiver.events)
    recording += [bundle.content, *sender.send(b"after"), *sender.ticks(40)]
    thief.receive(*recording, *recording)
    assert texts(thief) == [b"before"]
    assert thief.events[-1] == LeftOut(bundle.g)
    thief.unit.lead()
    claims = [forged(thief, lane, 9, b"forged") for lane in (thief.unit.lane, sender.unit.lane)]
    receiver.receive(*claims, *thief.send(b"mine"), *thief.ticks(40))
    assert len(receiver.events) == heard
    assert receiver.unit.master != thief.unit.lane


def test_refresh_does_not_help_against_a_copy_of_unit_and_laptop() -> None:
    """Who was copied unseen is followed from generation to generation, until the lane is revoked."""
    admin, (sender, victim, _) = network()
    copied_unit = copied(victim, admin.keys.public)
    for number in range(3):
        bundle = admin.issue().content
        for host in (sender, copied_unit):
            host.receive(bundle)
        copied_unit.receive(*sender.send(b"refreshed %d" % number))
    assert texts(copied_unit) == [b"refreshed 0", b"refreshed 1", b"refreshed 2"]
    admin.revoke([victim.unit.lane])
    bundle = admin.issue().content
    for host in (sender, copied_unit):
        host.receive(bundle)
    copied_unit.receive(*sender.send(b"revoked"))
    assert b"revoked" not in texts(copied_unit)


def test_a_member_cannot_open_the_notices_of_others() -> None:
    admin, (victim, thief, _) = network()
    bundle = admin.issue()
    (notice,) = bundle.notices_for(victim.unit.hint(bundle.g))
    with pytest.raises(DeviceError) as refused:
        thief.unit.notice(bundle.g, notice)
    assert refused.value.number == errors.HEADER


def test_forged_and_replayed_beacons_of_an_outsider() -> None:
    """Any bit of a beacon that is altered, and a beacon of a generation that is over, moves nobody."""
    admin, (master, receiver, _) = network()
    master.unit.lead()
    beacon, *_ = (packet for packet in master.tick() if len(packet) == BEACON_SIZE)
    for place in range(len(beacon)):
        altered = bytearray(beacon)
        altered[place] ^= 1
        receiver.receive(bytes(altered))
    assert receiver.unit.master == 0
    receiver.receive(beacon)
    assert receiver.unit.master == master.unit.lane
    receiver.receive(admin.issue().content, beacon)
    assert receiver.unit.master == 0


def test_stolen_old_administrators_file(tmp_path: Path) -> None:
    """It gives all generations, before and after it was made, and the signature of new ones."""
    admin, (sender, receiver, _) = network()
    administrator_file.save(admin.state, tmp_path / "old.ndksadmin")
    newcomer = admin.admit("0000000000ABC999")
    bundle = admin.issue()
    for host in (sender, receiver):
        host.receive(bundle.content)
    thief = Office(tmp_path / "old.ndksadmin")
    thief.receive(bundle.content)
    known = administrator_file.load(tmp_path / "old.ndksadmin")
    assert known.generations[-1].secret == sender.unit.here.secret
    reader = Host(unit_of(Administrator(known), newcomer), admin.keys.public)  # any lane is his
    reader.receive(bundle.content)
    reader.receive(*sender.send(b"secret"))
    assert texts(reader) == [b"secret"]
    own = Administrator(known)
    own.revoke([sender.unit.lane])
    receiver.receive(own.issue().content)
    assert receiver.unit.revoked == (sender.unit.lane,)


def test_what_a_bundle_shows_an_outsider() -> None:
    """Numbers of generations, members, lanes given, revoked lanes; no secret, and no hint that returns."""
    admin, (host, _, gone) = network()
    first = admin.state.bundles[-1]
    admin.revoke([gone.unit.lane])
    seen = Bundle.parse(admin.issue().content)
    assert (seen.g, seen.previous, len(seen.notices)) == (4, 0, 2)
    assert {len(notice) for _, notice in seen.notices} == {109 + 2 * 1}  # bytes: one lane is revoked
    assert len(seen.record) == 16 + 39 + 2 + 2 + 3 * 13  # bytes: one generation before, three lanes ever given
    assert not {hint for hint, _ in seen.notices} & {hint for hint, _ in first.notices}
    secrets = (ROOT, NETWORK.secret, admin.state.generations[-1].secret, admin.keys.member_key(host.unit.lane, 4))
    assert not any(secret[at : at + 8] in seen.content for secret in secrets for at in range(25))
    with pytest.raises(BadRecord):
        Record.unsealed(bytes(32), seen.record)


def test_laptop_of_a_candidate_that_sends_a_key_of_its_own() -> None:
    """It gets the member key, and all that a member gets: request and unit must be at a laptop that is trusted."""
    admin, (sender, *_) = network()
    own = EphemeralKey()
    request = JoinRequest.new("0000000000ABC999", own.public, label="candidate")
    lane = admin.admit(request.serial_number)
    bundle = admin.issue()
    package = seal_member(admin, request, lane, bundle)
    shared = own.shared(sealed_package.ephemeral_of(package.sealed))
    fields = unpack(MEMBERSHIP, bytes(sealed_package.unseal(CRYPTO, shared, own.public, package.sealed)))
    assert fields[:3] == (lane, bundle.g, admin.keys.member_key(lane, bundle.g))
    assert bundle.notices_for(hint_of(CRYPTO, fields[2]))
    assert sender.unit.here.secret not in package.content


def test_header_keys_outlive_epochs() -> None:
    """A thief who has those of a generation sees lane, number and kind of all its capsules that were recorded."""
    _, (sender, *_) = network()
    recorded = sender.send(b"secret")
    sender.unit.here.number = 9
    recorded += sender.send(b"secret")
    masks = HeaderKeys(CRYPTO, header_keys(CRYPTO, sender.unit.here.secret))
    headers = [masks.unmask(capsule[:WIRE_HEADER_SIZE]) for capsule in recorded]
    assert [(seen.lane, seen.number, seen.kind, seen.epoch) for seen in headers] == [(4, 1, 3, 0), (4, 2, 3, 9)]


def test_asks_of_an_outsider() -> None:
    """Anybody can ask for bundles, and gets them 32 ticks apart."""
    _, (host, *_) = network()
    host.unit.lead()
    host.ticks(40)
    answers = 0
    for _ in range(320):
        host.receive(b"\x3f\xff\xff")
        answers += sum(packet[:1] == b"\x42" for packet in host.tick())
    assert 1 <= answers <= 320 // 32 + 1
