# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents in processes are killed under load: nothing is lost, nothing comes twice, and broken agents are found."""

from pathlib import Path

import pytest

from .account import Comparison
from .broken import FAULTS
from .founding import founded, lossy
from .site import PATIENCE, Settings, environment

_KILLS = 6
_FOUND_IN = {
    "accepts_early": ("agent", "lost"),
    "forgets_early": ("receive", "lost"),
    "delivers_first": ("agent", "twice"),
    "does_not_wait": ("agent", "disordered"),
}


def crashed(
    directory: Path, what: str, settings: Settings, *, kills: int = _KILLS, patience: float = PATIENCE
) -> Comparison:
    """Kill agents, or receivers, of two members over datagrams of which a fifth is lost."""
    with environment(directory), lossy(2, 0.2) as urls, founded(directory, urls, settings) as network:
        while network.kills < kills:
            network.crash(what)
        return network.compared(patience)


@pytest.mark.parametrize("what", ["agent", "receive", "disk"])
def test_nothing_is_lost_or_doubled_by_kills(tmp_path: Path, what: str):
    comparison = crashed(tmp_path, what, Settings(tick=0.02, pause=0.05, has_service=False))
    assert comparison.findings == []
    assert comparison.delivered == comparison.accepted + comparison.unanswered > _KILLS


def test_a_unit_that_is_plugged_out_and_in_loses_nothing(tmp_path: Path):
    """Its power goes with the cable, and the pseudo-terminal that the service has open."""
    assert crashed(tmp_path, "cable", Settings(tick=0.05, pause=0.1), kills=3).findings == []


@pytest.mark.parametrize("fault", FAULTS)
def test_agents_that_are_broken_on_purpose_are_found(tmp_path: Path, fault: str):
    what, column = _FOUND_IN[fault]
    settings = Settings(tick=0.02, pause=0.05, has_service=False, broken=fault)
    assert getattr(crashed(tmp_path, what, settings, patience=3.0), column)
