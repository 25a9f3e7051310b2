# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Active attackers break what can be broken, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from homologation.faulty_unit import two_units

import ndks
from ndks import BindingStore, Network
from ndks.homologation.attack import Expert, Finding, Seen
from ndks.homologation.attackers.active import ATTACKERS, ActiveAttacker
from ndks.homologation.attackers.active.search import found_in
from ndks.homologation.bare_system import BareSystem
from ndks.homologation.ideal_system import IdealSystem
from ndks.homologation.stations import Station
from ndks.homologation.system import ALICE, BOB, System
from ndks.homologation.unit_system import UnitSystem

BY_LABEL = {attacker.label: attacker for attacker in ATTACKERS}
NOBODY = cast(Expert, None)  # active attackers see for themselves whether they succeed


def seen(system: System | None, seed: int = 1) -> Seen:
    nothing = np.zeros((0, 0), np.uint8)
    return Seen(3, nothing, nothing, 0, (), system, seed)


def attack(attacker: ActiveAttacker, system: System | None, seed: int = 1) -> Finding:
    return attacker.attack(seen(system, seed), NOBODY)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitSystem]:
    """Two healthy units in processes of their own."""
    with two_units(tmp_path_factory.mktemp("units")) as system:
        yield system


@pytest.fixture(scope="module")
def units_in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitSystem]:
    """Of suite paper, whose capsules have tags all the same."""
    directory, stations = tmp_path_factory.mktemp("units"), list[Station]()
    network = Network.new("laboratory", suite="paper", p1="0.52", p2="25")
    for lane, owner in enumerate((ALICE, BOB), 1):
        port, store = f"emulator:{directory / owner}", BindingStore(directory / f"laptop {lane}")
        with ndks.open(port, create=True, bindings=store) as unit:
            unit.bind(unit.provision(network, lane))
        stations.append(Station(port, store))
    system = UnitSystem(network, *stations)
    yield system
    system.close()


def test_labels_and_names_are_unique() -> None:
    assert len({attacker.label for attacker in ATTACKERS}) == len({attacker.name for attacker in ATTACKERS}) == 12


@pytest.mark.parametrize("attacker", ATTACKERS, ids=lambda attacker: attacker.name)
def test_bare_scheme_is_broken_by_all(attacker: ActiveAttacker) -> None:
    finding = attack(attacker, BareSystem())
    assert finding.succeeded is True
    assert finding.p_value is None
    assert finding.details["successes"] > 0


@pytest.mark.parametrize(
    ("label", "summary"),
    [
        ("A7a", 'bit flip: "PAY 0100" became "PAY 9100"'),
        ("A7b", 'replay: "PAY 0100 TO BOB, ORDER 0" came twice'),
        ("A7f", "reflection: Alice took from Bob what Alice has sent"),
        ("A7g", 'two messages have one keystream: whoever knows the first reads "MESSAGE 00'),
        ("A7h", "wrong laptop: another laptop was given a key of 128 bits"),
        ("A7j", "flash of Alice's unit: p1 beside p2 found"),
    ],
)
def test_what_is_said_of_the_bare_scheme(label: str, summary: str) -> None:
    assert attack(BY_LABEL[label], BareSystem()).summary.startswith(summary)


def test_bare_scheme_gives_out_frames_in_another_order() -> None:
    """Each frame has its own key index: the parts of a text change places, and all of it can be read."""
    system, texts = BareSystem(), (b"A" * 1024, b"B" * 1024, b"C" * 10)
    capsule = system.seal(b"".join(texts))
    size = system.layout.chunk
    assert (
        system.open(capsule[size : 2 * size] + capsule[:size] + capsule[2 * size :]) == texts[1] + texts[0] + texts[2]
    )


@pytest.mark.parametrize("attacker", ATTACKERS, ids=lambda attacker: attacker.name)
def test_ideal_system_is_broken_by_none(attacker: ActiveAttacker) -> None:
    findings = [attack(attacker, IdealSystem(seed), seed) for seed in range(20)]
    assert [finding.succeeded for finding in findings] == [False] * 20


@pytest.mark.parametrize("attacker", ATTACKERS, ids=lambda attacker: attacker.name)
def test_units_withstand(attacker: ActiveAttacker, units: UnitSystem) -> None:
    finding = attack(attacker, units)
    assert finding.succeeded is False, finding.summary
    assert finding.details["tries"] > 0
    assert finding.seconds < 15
    assert found_in([json.dumps([finding.summary, finding.details]).encode()], units.secrets()) == []
    for mode in ("a", "b"):
        assert units.open(units.seal(b"still of use", mode=mode), mode=mode) == b"still of use"
        assert units.open(units.seal(b"both ways", by=BOB), at=ALICE) == b"both ways"


def test_why_units_refuse(units: UnitSystem) -> None:
    """Each attack gets as far as to what it is meant for: a refusal for another reason would show nothing."""
    labels = ("A7a", "A7b", "A7d", "A7e", "A7f")
    codes = {label: set(attack(BY_LABEL[label], units).details["refusals"]) for label in labels}
    assert codes["A7a"] >= {"AUTH", "HEADER"}
    assert codes["A7b"] == {"DUPLICATE"}
    assert codes["A7d"] == codes["A7e"] == {"AUTH"}
    assert codes["A7f"] == {"REFLECTED"}
    assert attack(BY_LABEL["A7h"], units).details["refusals"] == {"LOCKED": 3}
    assert attack(BY_LABEL["A7i"], units).details["refusals"] == {"LOCKED": 18, "PROVISIONED": 1}
    assert attack(BY_LABEL["A7k"], units).details["refusals"] == {"LOCKED": 1, "SESSION_ENDED": 4}


@pytest.mark.parametrize("attacker", ATTACKERS, ids=lambda attacker: attacker.name)
def test_units_in_process_withstand(attacker: ActiveAttacker, units_in_process: UnitSystem) -> None:
    finding = attack(attacker, units_in_process)
    expected = None if attacker.name == "flash dump" else False  # nobody has copied their flash
    assert finding.succeeded is expected, finding.summary


def test_flash_that_holds_a_secret(units: UnitSystem, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(bytes(100) + units.network.secret[9:17] + bytes(100))
    stations = units.stations
    system = UnitSystem(
        units.network, stations[ALICE], Station(stations[BOB].port, stations[BOB].bindings, (tmp_path,))
    )
    units.close()
    finding = attack(BY_LABEL["A7j"], system)
    system.close()
    assert finding.succeeded is True
    assert finding.summary == "flash of Bob's unit: the network's secret found"


def test_attacker_gives_up_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for attacker in ATTACKERS:
        if attacker.name not in ("flash dump", "equal frames on the cable"):  # which take no time
            monkeypatch.setattr(attacker, "budget", -1.0)
            assert attack(attacker, IdealSystem()).summary.startswith("gave up")


def test_no_system_no_attack() -> None:
    assert attack(ATTACKERS[0], None).succeeded is None
