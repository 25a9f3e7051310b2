# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Homologations for tests: small ones, that share their controls."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ndks.network.network_file import Network
from ndks_laboratory.homologation import judgements, laboratory
from ndks_laboratory.homologation.attack import Finding
from ndks_laboratory.homologation.controls import MUST_STAND, Target
from ndks_laboratory.homologation.laboratory import Homologation, HomologationPlan
from ndks_laboratory.stages.cage import find_cage

Homologate = Callable[..., Homologation]

SMALL = {"keys": 40, "long_bits": 1 << 20, "letters": 16, "primal_bits": 1 << 20, "seed": 5}

# In place of the controls, which other tests run: they would be the same each time.
CONTROL = (
    Target("control", MUST_STAND, None, None, frozenset({"A1"})),  # type: ignore[arg-type]
    {"A1": Finding("reader", False, "read nothing")},
)


def silent(_step: str, _total: int) -> Callable[[int], object]:
    return lambda _: None


@pytest.fixture
def homologate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homologate:
    """Run a homologation of two new emulated units, or of those at `ports`, without controls."""
    if not find_cage():
        pytest.skip("this system gives no network namespaces")
    monkeypatch.setattr(laboratory, "run_controls", lambda _seed, _progress: [CONTROL])
    monkeypatch.setattr(judgements, "PRIMAL_BITS", SMALL["primal_bits"])
    monkeypatch.setattr(judgements, "LEAST_KEYS", SMALL["keys"])

    def run(*, suite: str = "hybrid", ports: tuple[str, str] | None = None, **options: object) -> Homologation:
        directory = tmp_path / "homologation"
        directory.mkdir()
        own = (f"emulator:{tmp_path / 'a'}", f"emulator:{tmp_path / 'b'}")
        plan = HomologationPlan(ports or own, directory, Network.new("test", suite=suite), **{**SMALL, **options})
        return laboratory.homologate(plan, silent, pytest.fail)

    return run
