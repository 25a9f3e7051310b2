# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The attackers of PROTOCOL.md section 11, each against the product."""

from random import Random
from typing import Any

import pytest

from ndks.crypto import CRYPTO, EphemeralKey
from ndks_emulator.flash import MemoryFlash
from ndks_protocol import errors, sealed_package, wire
from ndks_protocol.fields import pack
from ndks_unit.flash import erasure
from ndks_unit.on_demand import joining_key, provision
from ndks_unit.state import State
from network.directed import CASES
from network.product.unit_device import Board
from network.sides import SIDES

# What an attacker does, and the directed cases that show what comes of it.
ATTACKERS = {
    "wears out boards by a member's beacons": ["wear_by_beacons"],
    "forges bundles with a victim's hint": ["forged_bundles"],
    "publishes a member's bundle with a wrong notice": ["wrong_notice"],
    "lets a master lag behind": ["lagging_master"],
    "makes a host lose its store, or puts an old one back": ["lost_store", "restored_store"],
    "puts an old flash back": ["restored_flash"],
    "repeats beacons, also after a session's end": ["repeated_beacons", "beacons_after_a_session"],
    "has stolen a member, with a record of everything": [
        *("recorded_notices", "claims_of_a_thief", "forgeries_after_revocation", "name_of_a_revoked_lane"),
        "windows_moved_by_a_thief",
    ],
}
PACKAGE = ">HH32sBBBtttBBB"  # lane, g, M, suite, cipher, d, name, p1, p2, f1, f2, mode


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_attacker(attacker: str) -> None:
    for name in ATTACKERS[attacker]:
        CASES[name](SIDES["product"]())


def test_a_package_given_to_two_units() -> None:
    """It opens for the unit alone whose joining key it is sealed to, and once: the key goes with it."""
    first, second = candidate(1), candidate(2)
    package = package_for(*joining_key.joining_key(first))
    joining_key.joining_key(second)
    assert refusal(second, package) == errors.PACKAGE
    assert provision.enrol(first, bytes(32), package) == (4, 7)
    first.erase(erasure.ON_PURPOSE)
    assert refusal(first, package) == errors.NO_JOINING_KEY
    joining_key.joining_key(first)
    assert refusal(first, package) == errors.PACKAGE


def test_an_old_flash_with_the_joining_key_takes_the_package_again() -> None:
    """This is not promised; both units are on one lane then, which is revoked as any other."""
    unit = candidate(1)
    package = package_for(*joining_key.joining_key(unit))
    flash: Any = unit.board._flash  # type: ignore[attr-defined]
    copy = flash.clone()
    provision.enrol(unit, bytes(32), package)
    assert provision.enrol(State(Board(copy, Random(3))), bytes(32), package) == (4, 7)


def candidate(number: int) -> State:
    return State(Board(MemoryFlash(number.to_bytes(8)), Random(number)))


def package_for(public: bytes) -> bytes:
    own = EphemeralKey()
    fields = pack(PACKAGE, 4, 7, bytes(range(32)), wire.HYBRID, wire.VERNAM, 3, "far", "0.52", "25", 0, 0, wire.ELECTED)
    return sealed_package.seal(CRYPTO, own.shared(public), own.public, public, fields)


def refusal(unit: State, package: bytes) -> int:
    with pytest.raises(errors.UnitError) as refused:
        provision.enrol(unit, bytes(32), package)
    return refused.value.code
