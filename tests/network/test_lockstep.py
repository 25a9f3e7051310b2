# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units of the product beside units of the model, with capsules and values of any kind: same answers, same errors."""

import struct
from collections import Counter
from random import Random
from typing import Any

import pytest

from ndks.exceptions import DeviceError
from ndks_protocol import errors
from ndks_protocol.control import limits
from ndks_protocol.control.notice import Notice as ProductNotice
from network.model.capsules import Box, Head, header_key_of
from network.model.generations import Notice, Side
from network.product.pair import PairDevice, PairSide
from network.product.product_side import haul_of_secret
from network.world.interface import Haul, Packet

EXPECTED = {
    *("NO_EPOCH", "STALE", "HEADER", "AUTH", "RANGE", "ROSTER", "REFLECTED", "REVOKED", "KIND", "TOO_OLD", "TOO_FAR"),
    *("CUT", "DELAYED", "DUPLICATE"),
}
FAR = (0, 1, 2, 3, 9, 40, 4097, 4200, limits.LAST_NUMBER)


class Scene:
    """Some units, an administrator, and whoever knows all secrets."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.side = PairSide()
        self.office = self.side.administrator(0, 1, self.random.randbytes(32), self.random)
        members = [self.office.new_member(mode) for mode in ("elected", "relay", "monitor", "elected")]
        self.devices: list[PairDevice] = [self.side.device(member, lambda _: None, self.random) for member in members]
        self.notices: list[tuple[int, Packet]] = []
        self.pool: list[Packet] = [b"\x01" * 78, b"\x01" * 90]
        self.errors: Counter[str] = Counter()
        self.revoked: set[int] = set()
        self.issue()

    def issue(self) -> None:
        self.office.issue()
        state = self.office.file.state
        self.notices += [(state.g, notice) for _, notice in state.bundles[-1].notices]

    def step(self) -> None:
        """Let something happen to a unit."""
        device = self.random.choice(self.devices)
        verb = self.random.choice([name for name in dir(self) if name.startswith("do_")])
        try:
            made = getattr(self, verb)(device)
        except DeviceError as error:
            self.errors[errors.name_of(error.number)] += 1
            return
        if isinstance(made, bytes) and made:
            self.pool = [*self.pool[-300:], made]

    def do_tick(self, device: PairDevice) -> bytes:
        return device.tick(self.random.choice((0, 1, 4, 16, 40, 0xFFFF))).beacon

    def do_seal(self, device: PairDevice) -> bytes:
        kinds = (0, 2, 3, 3, 1)
        return device.seal(self.random.choice(kinds), self.random.randbytes(self.random.randrange(40)))[0]

    def do_open(self, device: PairDevice) -> None:
        device.open(self.random.choice(self.pool), vouched=self.random.random() < 0.4)

    do_open_again = do_open

    def do_seal_again(self, device: PairDevice) -> bytes:
        return device.seal(0, b"plain")[0]

    def do_control(self, device: PairDevice) -> None:
        device.control(self.random.choice(self.pool))

    def do_accept(self, device: PairDevice) -> None:
        capsule = self.random.choice(self.random.choice((self.pool, self.pool[-4:])))
        for _ in range(2):
            self.errors[device.accept(capsule, allow_jump=self.random.random() < 0.5)] += 1

    def do_notice(self, device: PairDevice) -> None:
        g, capsule = self.random.choice(self.notices[-12:])
        device.notice(max(0, g + self.random.choice((0, 0, 0, 0, 1, -1))), capsule)

    def do_enter(self, device: PairDevice) -> None:
        """Take a notice that was made for this unit."""
        for g, capsule in self.random.sample(self.notices[-8:], k=min(8, len(self.notices))):
            box = self.side.capsules.boxes[capsule]
            if device.lane not in self.revoked and box.key == self.office.file.keys.member_key(device.lane, g):
                device.notice(g, capsule)
                return

    def do_hint(self, device: PairDevice) -> None:
        device.hint(self.random.choice((0, 1, 4, 40, 5000, 65534, 65535)))

    def do_renew(self, device: PairDevice) -> None:
        for _ in range(self.random.choice((0, 4, 4))):
            device.tick(16)
        device.renew()

    def do_role(self, device: PairDevice) -> None:
        if self.random.random() < 0.2:
            device.set_role(self.random.choice((0, 0, 1, 2, 3)))

    def do_session(self, device: PairDevice) -> None:
        if self.random.random() < 0.2:
            device.start()

    def do_issue(self, _: PairDevice) -> None:
        if self.random.random() < 0.01:
            self.issue()

    def do_revoke(self, _: PairDevice) -> None:
        if self.random.random() < 0.01:
            lane = self.office.lane_of(self.office.new_member("elected"))
            self.office.revoke(lane)
            self.revoked.add(lane)
            self.issue()

    def haul(self) -> Haul:
        """Return the keys of one of the last generations."""
        generation = self.random.choice(self.office.file.state.generations[-8:])
        return haul_of_secret(generation.g, generation.operators, generation.secret)

    def do_forge(self, _: PairDevice) -> bytes:
        """Seal as who knows all secrets: any lane, number and epoch."""
        haul = self.haul()
        if self.random.random() < 0.2:  # with a key that is not its
            haul = haul._replace(secret=bytes(32), keys=(haul.keys[0], bytes(32), haul.keys[2]))
        lane = self.random.choice([*(device.lane for device in self.devices), *self.revoked, 400])
        n, number = self.random.choice((1, 70, 300, 1 << 30)), self.random.choice(FAR)
        if self.random.random() < 0.4:
            return self.side.forge_beacon(haul, lane, n, number, self.random.choice((0, 1, 5, limits.LAST_TERM)))
        words: list[tuple[Any, ...]] = [("message", 3, b"forged"), ("ask", 4, (1,)), ("data", b"forged")]
        return self.side.forge(haul, lane, n, number, self.random.choice(words))

    def do_craft(self, device: PairDevice) -> None:
        """Give a unit a notice that no administrator would make."""
        g = self.office.file.state.g + self.random.choice((0, 4))
        inside = g + self.random.choice((0, 0, 0, 4))
        revoked = self.random.choice(((), (device.lane,), (400, 300), (300, 300), tuple(range(1000, 1097))))
        sides = tuple(Side(each, bytes(32), frozenset(), (3, 0, 0)) for each in range(self.random.choice((0, 0, 7))))
        secret = self.random.randbytes(32)
        packed = struct.pack(f">{len(revoked)}H", *revoked)
        others = [(side.g, len(side.revoked), side.operators, side.secret) for side in sides]
        content = ProductNotice(inside, (3, 0, 0), secret, packed, others)
        key = self.office.file.keys.member_key(device.lane, g)
        _, capsule = self.office.file.keys.notice(device.lane, content, bytes(8))
        its_key = self.office.file.keys.member_key(device.lane, inside)
        notice = Notice(inside, (3, 0, 0), secret, revoked, sides)
        head = Head("control", limits.ADMINISTRATOR_LANE + inside % 4, inside + 1, 0)
        self.side.capsules.boxes[capsule] = Box(header_key_of(its_key), head, its_key, notice, len(capsule))
        forgets = device.view is not None and bool(device.view.revoked)
        if key == its_key and not revoked and not sides and not forgets:
            return  # that would be a generation beside the administrator's own
        device.notice(g, capsule)


class SceneOfBefore(Scene):
    """Units of a network without administrators."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.side = PairSide()
        self.devices = [self.side.machine_of_before(self.random, lane).device for lane in (4, 8, 12)]
        self.secret = self.devices[0].network_secret
        self.notices = [(1, b"\x01" * 109)]
        self.pool = [b"\x01" * 78]
        self.errors = Counter()
        self.revoked = set()

    def haul(self) -> Haul:
        return haul_of_secret(0, (3, 0, 0), self.secret)

    def do_enter(self, device: PairDevice) -> None: ...
    def do_issue(self, _: PairDevice) -> None: ...
    def do_revoke(self, _: PairDevice) -> None: ...
    def do_craft(self, device: PairDevice) -> None: ...


def test_the_same_in_a_network_of_before() -> None:
    scene = SceneOfBefore(5)
    for _ in range(2500):
        scene.step()
    expected = {
        "NO_EPOCH",
        "HEADER",
        "AUTH",
        "RANGE",
        "REFLECTED",
        "KIND",
        "TOO_OLD",
        "TOO_FAR",
        "DELAYED",
        "DUPLICATE",
    }
    assert not expected - set(scene.errors), scene.errors


@pytest.mark.parametrize("seed", range(2))
def test_same_answers_and_same_errors(seed: int) -> None:
    scene = Scene(seed)
    for _ in range(3000):
        scene.step()
    missing = EXPECTED - set(scene.errors)
    assert not missing, scene.errors
    assert sum(device.compared for device in scene.devices) > 2000
