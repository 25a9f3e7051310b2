# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units with one fault each, in separate processes, and the adversaries that find it."""

import contextlib
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from homologation.faulty_unit import FAULTS, swapped, two_units

from ndks_laboratory.homologation.adversaries.active import ADVERSARIES
from ndks_laboratory.homologation.attack import Finding, Oracle, Seen
from ndks_laboratory.homologation.system import ALICE, BOB
from ndks_laboratory.homologation.unit_system import UnitSystem

BY_NAME = {adversary.name: adversary for adversary in ADVERSARIES}
FOUND = {
    "repeated-number": {"repeated numbers": "number 1 was given to two messages"},
    "repeated-keystream": {
        "repeated numbers": "two messages have the same keystream: anyone who knows the first reads"
    },
    "periodic-keystream": {"repeated numbers": "in one message of 65536 bytes the keystream repeats after 4096 bytes"},
    "unchecked-tags": {
        "bit flips": 'bit flip: "PAY 0100" became "PAY 9100"',
        "reordering": "chunks in the order (1, 0, 2, 3)",
        "splicing": "chunk of another capsule",
    },
    "stale-link-sync": {"replay on the cable": "replay on the cable: the unit answered a replayed request"},
    "same-random": {
        "replay on the cable": "replay on the cable: the unit answered a replayed session",
        "recording plus flash copy": "recording: an ephemeral key was used in two sessions",
    },
    "no-forward-secrecy": {
        "recording plus flash copy": "recording and flash: a key of 2048 bits was read in a recorded session"
    },
    "repeated-ephemeral": {"recording plus flash copy": "recording: an ephemeral key was used in two sessions"},
    "stays-open": {
        "wrong laptop": "wrong laptop: a laptop without any secret was given a key of 128 bits",
        "stolen unit": "stolen unit: it answered NEXT_INDEX without a session",
    },
    "unsealed-flash": {"flash dump": "flash of "},
}
WITHSTANDS = ("replay", "reflection", "equal frames on the cable")
# The faulty unit, and the initial role in which the fault does not show.
FAULTY = {
    "repeated-number": BOB,
    "repeated-keystream": BOB,
    "periodic-keystream": BOB,
    "unchecked-tags": ALICE,
    "stale-link-sync": BOB,
    "same-random": BOB,
    "no-forward-secrecy": BOB,
    "repeated-ephemeral": BOB,
    "stays-open": ALICE,
    "unsealed-flash": BOB,
}
SHOWN_IN_ALL_ROLES = ("unsealed-flash",)
SIX_SIGMA = 6.0
ELEMENTS = 1 << 19  # elements of a key; 1 % fewer ones are 14 sigma


def attack(name: str, system: UnitSystem) -> Finding:
    nothing = np.zeros((0, 0), np.uint8)
    return BY_NAME[name].attack(Seen(3, nothing, nothing, (), system, 1), cast(Oracle, None))


def test_each_fault_is_looked_for() -> None:
    assert set(FAULTS) == {*FOUND, "biased-bits", "wrong-at-d", "none"}


@pytest.mark.parametrize("fault", FOUND)
def test_fault_of_one_unit_is_found_in_one_of_its_roles(fault: str, tmp_path: Path) -> None:
    """Roles are swapped immediately after attacks that do not show the fault."""
    with two_units(tmp_path, fault, faulty=[FAULTY[fault]]) as first:
        if fault in SHOWN_IN_ALL_ROLES:
            check_found(fault, first)
        else:
            for name in FOUND[fault]:
                finding = attack(name, first)
                assert finding.succeeded is False, finding.outcome.reason
        with contextlib.closing(swapped(first)) as second:
            check_found(fault, second)
            others = [name for name in WITHSTANDS if name not in FOUND[fault]]
            assert not any(attack(name, second).succeeded for name in others), "the fault is this one, and no other"


def check_found(fault: str, system: UnitSystem) -> None:
    for name, summary in FOUND[fault].items():
        finding = attack(name, system)
        assert finding.succeeded is True, name
        assert finding.outcome.reason.startswith(summary)


def test_unit_that_repeats_numbers_cannot_be_attacked_otherwise(tmp_path: Path) -> None:
    with two_units(tmp_path, "repeated-number") as system:
        finding = attack("replay", system)
    assert finding.succeeded is None
    assert finding.outcome.reason == "not run: an honest message is refused: DUPLICATE"


@pytest.mark.parametrize(("fault", "is_biased"), [("none", False), ("biased-bits", True)])
def test_bias_of_key_bits(fault: str, is_biased: bool, tmp_path: Path) -> None:
    """Units with the same fault agree on keys and messages: only statistics detect it."""
    with two_units(tmp_path, fault) as system:
        keys = [system.unit(owner).key(1, ELEMENTS).data for owner in (ALICE, BOB)]
        assert keys[0] == keys[1]
        for cipher in ("vernam", "aes"):
            text = bytes(3000)
            capsule = system.seal(text, cipher=cipher, mode="b")
            assert system.unseal(capsule, mode="a") == text
    ones = int(np.unpackbits(np.frombuffer(keys[0], np.uint8)).sum())
    sigmas = (ones - ELEMENTS / 2) / (ELEMENTS**0.5 / 2)
    assert (sigmas < -SIX_SIGMA) is is_biased
    if not is_biased:
        assert abs(sigmas) < SIX_SIGMA
