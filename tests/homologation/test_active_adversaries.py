# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Active adversaries break the bare scheme, and nothing else."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from homologation.faulty_unit import swapped, two_units

import ndks
from ndks import BindingStore, Network
from ndks.exceptions import UnitRemoved
from ndks.line.link import Link
from ndks.line.transport import open_transport
from ndks_laboratory.homologation.adversaries.active import ADVERSARIES, ActiveAdversary
from ndks_laboratory.homologation.adversaries.active.possession import remember
from ndks_laboratory.homologation.adversaries.active.secret_search import found_in
from ndks_laboratory.homologation.adversaries.active.trial import Trial
from ndks_laboratory.homologation.attack import Finding, Oracle, OutOfTime, Seen
from ndks_laboratory.homologation.bare_system import BareSystem
from ndks_laboratory.homologation.ideal_system import IdealSystem
from ndks_laboratory.homologation.stations import Station
from ndks_laboratory.homologation.system import ALICE, BOB, Refusal, System
from ndks_laboratory.homologation.unit_system import UnitSystem
from ndks_protocol import commands

BY_LABEL = {adversary.label: adversary for adversary in ADVERSARIES}
NOBODY = cast(Oracle, None)  # active adversaries verify their success themselves


def seen(system: System | None, seed: int = 1) -> Seen:
    nothing = np.zeros((0, 0), np.uint8)
    return Seen(3, nothing, nothing, (), system, seed)


def attack(adversary: ActiveAdversary, system: System | None, seed: int = 1) -> Finding:
    return adversary.attack(seen(system, seed), NOBODY)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitSystem]:
    """Two healthy units in separate processes."""
    with two_units(tmp_path_factory.mktemp("units")) as system:
        yield system


@pytest.fixture(scope="module")
def units_in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitSystem]:
    """Units of suite paper, whose capsules also have tags; at d = 3 the keystream of a long message may repeat."""
    directory, stations = tmp_path_factory.mktemp("units"), list[Station]()
    network = Network.new("laboratory", suite="paper", p1="0.52", p2="25", digits=9)
    for lane, owner in enumerate((ALICE, BOB), 1):
        port, store = f"emulator:{directory / owner}", BindingStore(directory / f"laptop {lane}")
        with ndks.open(port, create=True, bindings=store) as unit:
            unit.bind(unit.provision(network, lane))
        stations.append(Station(port, store))
    system = UnitSystem(network, *stations)
    yield system
    system.close()


def test_labels_and_names_are_unique() -> None:
    assert (
        len({adversary.label for adversary in ADVERSARIES}) == len({adversary.name for adversary in ADVERSARIES}) == 13
    )


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.name)
def test_bare_scheme_is_broken_by_all(adversary: ActiveAdversary) -> None:
    finding = attack(adversary, BareSystem())
    assert finding.succeeded is True
    assert finding.p_value is None
    assert finding.details["successes"] > 0


@pytest.mark.parametrize(
    ("label", "summary"),
    [
        ("A7a", 'bit flip: "PAY 0100" became "PAY 9100"'),
        ("A7b", 'replay: "PAY 0100 TO BOB, ORDER 0" came twice'),
        ("A7f", "reflection: Alice accepted from Bob what Alice has sent"),
        ("A7g", 'two messages have the same keystream: anyone who knows the first reads "MESSAGE 00'),
        ("A7h", "wrong laptop: another laptop was given a key of 128 bits"),
        ("A7j", "flash of Alice's unit: p1 beside p2 found"),
        ("A7m", "recording: a key passed in the clear"),
    ],
)
def test_what_is_said_of_the_bare_scheme(label: str, summary: str) -> None:
    assert attack(BY_LABEL[label], BareSystem()).outcome.reason.startswith(summary)


def test_bare_scheme_gives_out_frames_in_another_order() -> None:
    """Each frame has its own key index: the frames of a text can be reordered, and all of it is readable."""
    system, texts = BareSystem(), (b"A" * 1024, b"B" * 1024, b"C" * 10)
    capsule = system.seal(b"".join(texts))
    size = system.layout.chunk
    assert (
        system.unseal(capsule[size : 2 * size] + capsule[:size] + capsule[2 * size :]) == texts[1] + texts[0] + texts[2]
    )


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.name)
def test_ideal_system_is_broken_by_none(adversary: ActiveAdversary) -> None:
    findings = [attack(adversary, IdealSystem(seed), seed) for seed in range(20)]
    assert [finding.succeeded for finding in findings] == [False] * 20


def check_refusals(label: str, refusals: dict[str, int]) -> None:
    """Check the reasons of the refusals, to ensure that the attack reached its target."""
    expected = {
        "A7b": {"DUPLICATE"},
        "A7d": {"AUTH"},
        "A7e": {"AUTH"},
        "A7f": {"REFLECTED"},
        "A7h": {"LOCKED": 3},
        "A7i": {"LOCKED": 24, "PROVISIONED": 4},
        "A7k": {"LOCKED": 1, "SESSION_ENDED": 4},
    }
    if label == "A7a":  # all bits of a header in both modes, and those of a tag
        assert refusals["HEADER"] >= 2 * 8 * 37
        assert refusals["AUTH"] >= 2 * 8 * 16
    elif label in expected:
        assert (refusals if isinstance(expected[label], dict) else set(refusals)) == expected[label]


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.name)
def test_units_withstand(adversary: ActiveAdversary, units: UnitSystem) -> None:
    finding = attack(adversary, units)
    assert finding.succeeded is False, finding.outcome.reason
    assert finding.details["tries"] > 0
    check_refusals(adversary.label, finding.details["refusals"])
    assert found_in([json.dumps([finding.outcome.reason, finding.details]).encode()], units.secrets()) == []
    for mode in ("a", "b"):
        assert units.unseal(units.seal(b"still of use", mode=mode), mode=mode) == b"still of use"
        assert units.unseal(units.seal(b"both ways", by=BOB), at=ALICE) == b"both ways"


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.name)
def test_units_in_process_withstand(adversary: ActiveAdversary, units_in_process: UnitSystem) -> None:
    finding = attack(adversary, units_in_process)
    expected = None if adversary.label in ("A7j", "A7m") else False  # no flash was copied
    assert finding.succeeded is expected, finding.outcome.reason


def test_units_withstand_when_their_roles_are_swapped_at_once(units: UnitSystem) -> None:
    """Wrong proofs cause a delay; it must not hold up the next adversary."""
    proofs = [BY_LABEL[label] for label in ("A7h", "A7i")]
    assert not any(attack(adversary, units).succeeded for adversary in proofs)
    with contextlib.closing(swapped(units)) as system:
        assert [wrong_attempts(station.port) for station in units.stations.values()] == [0, 0]
        assert [attack(adversary, system).succeeded for adversary in ADVERSARIES] == [False] * len(ADVERSARIES)


def wrong_attempts(port: str) -> int:
    """Return the number of wrong attempts, outside a session, which would reset it."""
    link = Link(open_transport(port, 5.0), 5.0)
    try:
        status = link.call(commands.STATUS)
    finally:
        link.close()
    return status[commands.STATUS.answer.names.index("wrong_attempts")]


def with_flash(units: UnitSystem, *files: tuple[Path, ...]) -> UnitSystem:
    """Return the units with other copies of their flash."""
    units.close()
    stations = [replace(station, flash=flash) for station, flash in zip(units.stations.values(), files, strict=True)]
    return UnitSystem(units.network, *stations)


@pytest.mark.parametrize("is_whole", [True, False])
def test_flash_that_holds_a_secret(is_whole: bool, units: UnitSystem, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(bytes(100) + units.network.secret[9:17] + bytes(100))
    alice, bob = (station.flash for station in units.stations.values())
    with contextlib.closing(with_flash(units, alice, (*bob * is_whole, tmp_path))) as system:
        finding = attack(BY_LABEL["A7j"], system)
    assert finding.succeeded is True
    assert finding.outcome.reason == "flash of Bob's unit: the network's secret found"


def test_flash_of_other_units_shows_nothing(units: UnitSystem, tmp_path: Path) -> None:
    """Nothing is found in empty copies, in an old copy, or in one of the two only."""
    alice, bob = (station.flash for station in units.stations.values())
    old = tmp_path / "old"
    shutil.copytree(bob[0], old)
    for file in old.glob("*"):
        mark = units.marks()[BOB]
        file.write_bytes(file.read_bytes().replace(mark, bytes(len(mark))))
    (tmp_path / "empty").touch()
    nothing = ((), (Path("/dev/null"),), (tmp_path / "empty",), (tmp_path / "missing",), (old,), alice)
    for bobs in nothing:
        with contextlib.closing(with_flash(units, alice, bobs)) as system:
            finding = attack(BY_LABEL["A7j"], system)
        assert finding.succeeded is None
        assert finding.outcome.reason == "not run: no current copy of the flash of Bob"
    with contextlib.closing(with_flash(units, (), ())) as system:
        assert attack(BY_LABEL["A7j"], system).outcome.reason.endswith("of Alice and of Bob")


def test_mark_stays_in_flash(units: UnitSystem) -> None:
    """Each unit has rewritten its flash several times."""
    for by, at in ((ALICE, BOB), (BOB, ALICE)):
        erases = units.unit(at).status().erases
        for _ in range(60):
            units.unseal(units.seal(b"message", by=by), at=at)
        assert units.unit(at).status().erases > erases
        (content,) = [dump.content for dump in units.dumps() if dump.owner == at]
        assert sum(units.marks()[at] in each for each in content) >= 2


@pytest.mark.parametrize("has_flash", [True, False])
def test_flash_of_erased_units(has_flash: bool, tmp_path: Path) -> None:
    with two_units(tmp_path) as original:
        flash = [(tmp_path / owner,) if has_flash else () for owner in (ALICE, BOB)]
        with contextlib.closing(with_flash(original, *flash)) as system:
            remembered = remember(system)
            system.close()
            members = remembered.left()
            for owner in (ALICE, BOB):
                with system.unit(owner) as unit:
                    unit.zeroize()
                system.close()
            assert remembered.left() == ([] if has_flash else None)
            (tmp_path / ALICE / "left").write_bytes(original.network.secret[9:17])
            found = ["flash of Alice's unit: the network's secret"]
            assert remembered.left() == (found if has_flash else None)
    bindings = ["flash of Alice's unit: its binding", "flash of Bob's unit: its binding"]
    assert members == (bindings if has_flash else None)


def test_adversary_gives_up_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for adversary in ADVERSARIES:
        if adversary.label not in ("A7j", "A7l", "A7m"):  # these need no time
            monkeypatch.setattr(adversary, "budget", -1.0)
            finding = attack(adversary, IdealSystem())
            assert finding.succeeded is None
            assert re.fullmatch(r"gave up after [01] tries, none accepted", finding.outcome.reason)


class Scripted(ActiveAdversary):
    """An adversary that follows a script, with or without a break first."""

    def __init__(self, error: Exception, breaks: list[str]) -> None:
        super().__init__("A0", "scripted")
        self.error, self.breaks = error, breaks

    def act(self, trial: Trial) -> str | None:
        trial.breaks += self.breaks
        trial.tries += 1
        raise self.error


@pytest.mark.parametrize("error", [OutOfTime(), UnitRemoved("gone"), Refusal("LOCKED")], ids=repr)
def test_what_was_found_stays_found(error: Exception) -> None:
    finding = attack(Scripted(error, ["it was broken"]), BareSystem())
    assert (finding.succeeded, finding.outcome.reason) == (True, "it was broken")


def test_what_ends_an_attack_that_found_nothing() -> None:
    finding = attack(Scripted(Refusal("LOCKED"), []), BareSystem())
    assert (finding.succeeded, finding.outcome.reason) == (None, "not run: an honest request is refused: LOCKED")
    with pytest.raises(UnitRemoved):
        attack(Scripted(UnitRemoved("gone"), []), BareSystem())


def test_every_bit_of_header_and_tag_is_turned_over() -> None:
    flips: set[tuple[str, int]] = set()

    class NotingSystem(IdealSystem):
        def unseal(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes:
            changed = np.bitwise_xor(np.frombuffer(capsule, np.uint8), np.frombuffer(self.sealed, np.uint8))
            flips.update((mode, bit) for bit in np.flatnonzero(np.unpackbits(changed)).tolist())
            return super().unseal(capsule, at=at, mode=mode)

        def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
            self.sealed = super().seal(text, by=by, cipher=cipher, mode=mode)
            return self.sealed

    system = NotingSystem()
    assert attack(BY_LABEL["A7a"], system).succeeded is False
    size, layout = 8 * len(system.sealed), system.layout
    bits = (*range(8 * layout.header), *range(size - 8 * layout.tag, size))
    assert flips >= {(mode, bit) for mode in "ab" for bit in bits}


def test_ideal_system_and_attackers_draw_from_different_streams() -> None:
    assert IdealSystem(7).random.bytes(64) != Trial(seen(IdealSystem(7), 7)).random.bytes(64)
    drawn = [Trial(seen(None, 7)).random.bytes(16) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] not in np.random.default_rng(7).bytes(1 << 16)


def test_no_system_no_attack() -> None:
    assert attack(ADVERSARIES[0], None).succeeded is None
