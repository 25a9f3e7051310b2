# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The network of the units under test, as adversaries see it."""

from collections.abc import Iterable, Mapping

from ndks.exceptions import DeviceError
from ndks_laboratory.homologation.dumped_flash import contents_of
from ndks_laboratory.homologation.system import Dump, Refusal
from ndks_laboratory.networks.thief import enter_all, read_all
from ndks_protocol.control.limits import BEACON_SIZE, LONGEST_TICK, MOVE_PAUSE

from .member import Member
from .scene import Scene
from .system import NetworkSystem, Thief

_CAPSULE = 1
_IN_TIME = 120  # ticks for another to lead: 48, and some more
_LEAPS = MOVE_PAUSE // LONGEST_TICK + 1  # until a unit may renew again
_REPORTED = 8  # ticks until an agent has reported a message
_TO_LEAD = 4  # leaps until a unit that hears no master leads


class UnitThief(Thief):
    """A member whose host does whatever the thief wants."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def read(self, packets: Iterable[bytes]) -> set[bytes]:
        packets = list(dict.fromkeys(packets))
        enter_all(self._member.unit, packets)
        return read_all(self._member.unit, (packet for packet in packets if not _is_beacon(packet)))

    def send(self, text: bytes) -> list[bytes]:
        return [*self._member.send(text), *(packet for _ in range(_REPORTED) for packet in self._member.tick())]

    def beacons(self) -> list[bytes]:
        ticked = [self._member.unit.tick(LONGEST_TICK) for _ in range(_TO_LEAD)]
        return [each.beacon for each in ticked if each.beacon]


class UnitNetwork(NetworkSystem):
    """The members at a scene's table."""

    def __init__(self, scene: Scene, *, revokes: bool = True) -> None:
        """`revokes`: False is a fault of the administrator, to demonstrate that the test can fail."""
        self._scene, self._table = scene, scene.table
        self._revokes = revokes
        self._stolen: Member | None = None

    def talk(self, text: bytes) -> list[bytes]:
        sender = next(member for member in self._table.present if not member.leads)
        others = [member for member in self._table.present if member is not sender]
        before = len(self._table.recording)
        self._table.send(sender, text)
        self._table.until(lambda: all(text in other.texts(sender.lane) for other in others), "a message comes")
        return self._table.recording[before:]

    def recording(self) -> list[bytes]:
        return list(self._table.recording)

    def beacons(self) -> list[bytes]:
        before = len(self._table.recording)
        self._table.until(lambda: any(map(_is_beacon, self._table.recording[before:])), "the master gives a beacon")
        return list(filter(_is_beacon, self._table.recording))

    def hear(self, packet: bytes) -> bytes:
        refusal = ""
        for member in self._table.present:
            if member.leads:
                continue  # it listens only to those of higher rank
            try:
                member.unit.control(packet)
            except DeviceError as error:
                refusal = error.code
            else:
                return _name(member)
        raise Refusal(refusal)

    def another_leads(self, replayed: list[bytes]) -> bool:
        master = self._table.master()
        self._scene.leave(master)
        leads = any(self._leads_after(packet) for packet in (_IN_TIME * replayed)[:_IN_TIME])
        self._scene.come_back(master)
        self._table.until_agreed()
        return leads

    def bundle(self) -> bytes:
        return self._scene.desk.administrator.state.bundles[-1].content

    def enter(self, packet: bytes) -> bytes:
        before = {member.lane: (member.unit.asked, member.generation) for member in self._table.present}
        self._table.publish(None, [packet])
        for member in self._table.present:
            if (member.unit.asked, member.generation) != before[member.lane]:
                return _name(member)
        raise Refusal("IGNORED")

    def hurry(self, renewals: int) -> int:
        member, other, *_ = self._table.present
        moves, epoch = 0, other.agent.epoch
        for _ in range(renewals):
            for _ in range(_LEAPS):
                self._table.publish(member, [each for each in (member.unit.tick(LONGEST_TICK).beacon,) if each])
            member.unit.renew()
            self._table.publish(member, [each for each in (member.unit.tick(1).beacon,) if each])
            self._table.publish(other, other.tick())
            moves, epoch = moves + (other.agent.epoch != epoch), other.agent.epoch
        self._table.pause()
        self._table.until_agreed()
        return moves

    def steal(self) -> Thief:
        self._stolen = self._table.master()
        self._stolen.is_present, self._stolen.is_stolen = False, True  # its port stays open: the thief is here
        self._table.until(self._table.agree, "another unit leads when the master is stolen")
        return UnitThief(self._stolen)

    def revoke(self) -> None:
        assert self._stolen
        if self._revokes:
            self._scene.desk.revoke(self._stolen.lane)
        else:
            self._scene.desk.refresh()
        self._table.until_agreed()

    def taken(self, packets: Iterable[bytes]) -> set[bytes]:
        before = {member.lane: len(member.arrived) for member in self._table.present}
        self._table.publish(None, packets)
        return {event.data for member in self._table.present for event in member.arrived[before[member.lane] :]}

    def dumps(self) -> tuple[Dump, ...]:
        copy = self._scene.plan.units.copy_flash
        if copy:
            self._scene.closed(copy)
        files = zip(self._scene.sides, self._scene.plan.units.flash, strict=False)
        found = {side.name: tuple(contents_of((path,))) for side, path in files if path}
        return tuple(Dump(owner, content) for owner, content in found.items() if content)

    def marks(self) -> Mapping[str, bytes]:
        flashed = {side.name for side in self._scene.sides[: len(self._scene.plan.units.flash)]}
        present = (member for member in self._table.present if member.side.name in flashed)
        return {member.side.name: bytes.fromhex(member.opened.hello.binding_id) for member in present}

    def _leads_after(self, replayed: bytes) -> bool:
        self._table.publish(None, [replayed])
        self._table.tick()
        return any(member.leads for member in self._table.present)


def _is_beacon(packet: bytes) -> bool:
    return packet[:1] == bytes([_CAPSULE]) and len(packet) == BEACON_SIZE


def _name(member: Member) -> bytes:
    return f"the unit of {member.side.name}".encode()
