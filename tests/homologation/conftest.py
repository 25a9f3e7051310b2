# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Small homologations for tests, with shared controls."""

import os
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

from ndks.network.network_file import Network
from ndks_laboratory.homologation import campaign, documents, judgements, laboratory, verdict
from ndks_laboratory.homologation.attack import Adversary, Finding, Oracle, Seen
from ndks_laboratory.homologation.controls import MUST_STAND, Target
from ndks_laboratory.homologation.evidence import Evidence
from ndks_laboratory.homologation.laboratory import Homologation
from ndks_laboratory.homologation.plan import Experts, HomologationPlan, Sample, UnitPorts
from ndks_laboratory.outcome import HELD, Outcome

Homologate = Callable[..., Homologation]

SMALL = Sample(keys=40, long_bits=1 << 20, letters=16, primal_bits=1 << 20)
SEED = 5

# In place of the controls, which other tests run: they would be the same each time.
CONTROL = (
    Target("control", MUST_STAND, None, None, frozenset({"A1"})),  # type: ignore[arg-type]
    {"A1": Finding("reader", Outcome.held("read nothing"))},
)

ON_UNITS = frozenset(each.label for each in campaign.ACTIVE)
_LONG = frozenset({"A1", "A4", "A6"})  # they search keys for seconds, of suite paper only with success


class Idle(NamedTuple):
    """In place of an adversary that takes long, and has nothing to find where `healthy` shows that it finds nothing."""

    name: str
    label: str

    def attack(self, _seen: Seen, _oracle: Oracle) -> Finding:
        return Finding(self.name, Outcome.held("read nothing"))


def silent(_step: str, _total: int) -> Callable[[int], object]:
    return lambda _: None


def emulated_units(directory: Path, *further: str) -> UnitPorts:
    """Return two new units with readable flash, and further ones by their names."""
    ports = tuple(f"emulator:{directory / name}" for name in ("a", "b", *further))
    return UnitPorts(ports, (directory / "a", directory / "b"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and {"homologate", "healthy"} & {*item.fixturenames}:
            item.add_marker(pytest.mark.kernel)  # both sides are in cages


class Healthy(NamedTuple):
    """The homologation of two healthy units."""

    evidence: Evidence
    verdict: str
    missed: set[str]  # requirements
    broken: set[str]  # labels of adversaries that succeeded


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return examine_healthy_units(tmp_path_factory.mktemp("healthy"))
    # Once for all workers, which share the parent of their temporary directories.
    shared = tmp_path_factory.getbasetemp().parent / "healthy.pickle"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.write_bytes(pickle.dumps(examine_healthy_units(tmp_path_factory.mktemp("healthy"))))
        return pickle.loads(shared.read_bytes())


def examine_healthy_units(directory: Path) -> Healthy:
    (directory / "report").mkdir()
    plan = HomologationPlan(emulated_units(directory), directory / "report", Network.new("test"), SMALL, SEED)
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch, frozenset())
        found = laboratory.homologate(plan, silent, pytest.fail)
    return Healthy(found.evidence, found.verdict.word, missed(found), broken(found))


def missed(homologation: Homologation) -> set[str]:
    """Return the requirements on so many units that were not met."""
    asked = (judged for judged in homologation.verdict.judged if judged.requirement.units <= len(homologation.units))
    return {judged.requirement.id for judged in asked if judged.outcome.word != HELD}


def broken(homologation: Homologation) -> set[str]:
    """Return the labels of the adversaries that succeeded."""
    return {label for label, finding in homologation.verdict.attacked[0].findings.items() if finding.succeeded}


def make_small(monkeypatch: pytest.MonkeyPatch, idle: frozenset[str]) -> None:
    """Leave out the controls and these adversaries, and permit small samples."""

    def without_idle(adversaries: Sequence[Adversary]) -> list[Adversary | Idle]:
        return [Idle(each.name, each.label) if each.label in idle else each for each in adversaries]

    monkeypatch.setattr(laboratory, "PASSIVE", without_idle(laboratory.PASSIVE))
    monkeypatch.setattr(campaign, "ACTIVE", without_idle(campaign.ACTIVE))
    monkeypatch.setattr(laboratory, "run_controls", lambda _seed, _progress: [CONTROL])
    monkeypatch.setattr(judgements, "PRIMAL_BITS", SMALL.primal_bits)
    monkeypatch.setattr(judgements, "LEAST_KEYS", SMALL.keys)
    for module in (verdict, documents):  # the network is random, and a false alarm would be a failed test
        monkeypatch.setattr(module, "ALPHA", 1e-12)


@pytest.fixture
def homologate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homologate:
    """Run a homologation of two new emulated units, or of others, without controls.

    Of the adversaries who act on units, the `attackers` do: none where the units are healthy.
    """

    def run(
        *,
        fault: str = "",
        units: UnitPorts | None = None,
        attackers: frozenset[str] = frozenset(),
        **options: Any,
    ) -> Homologation:
        make_small(monkeypatch, ON_UNITS - attackers | _LONG)
        directory = tmp_path / "homologation"
        directory.mkdir()
        network = options.get("network", Network.new("test"))
        experts = options.get("experts", Experts())
        plan = HomologationPlan(units or emulated_units(tmp_path), directory, network, SMALL, SEED, fault, experts)
        return laboratory.homologate(plan, silent, pytest.fail)

    return run
