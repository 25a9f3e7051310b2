# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents in processes are killed under load: nothing is lost, nothing comes twice, and broken agents are found."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .account import Comparison
from .broken import FAULTS
from .crashing import Crashing
from .founding import founded, lossy
from .site import Settings, environment, wait_until

_KILLS = 4
_MOST = 30  # kills in which a broken agent is found
# What has to be killed, and what is found then.
_FOUND_IN = {
    "accepts_early": ("agent", "strange"),
    "forgets_early": ("receive", "passed"),
    "delivers_first": ("agent", "twice"),
    "does_not_wait": ("agent", "disordered"),
}


@contextlib.contextmanager
def two(directory: Path, settings: Settings) -> Iterator[Crashing]:
    """Run two members over datagrams of which a fifth is lost."""
    with environment(directory), lossy(2, 0.2) as urls, founded(directory, urls, settings) as network:
        yield network


def crashed(directory: Path, what: str, settings: Settings, kills: int = _KILLS) -> Comparison:
    with two(directory, settings) as network:
        while network.kills < kills:
            network.crash(what)
        return network.compared()


@pytest.mark.parametrize("what", ["agent", "receive", "disk"])
def test_nothing_is_lost_or_doubled_by_kills(tmp_path: Path, what: str):
    comparison = crashed(tmp_path, what, Settings(tick=0.1, pause=0.1, has_service=False))
    assert comparison.findings == []
    assert comparison.delivered == comparison.accepted + comparison.unanswered > _KILLS


def test_a_unit_that_is_plugged_out_and_in_loses_nothing(tmp_path: Path):
    """Its power goes with the cable, and the pseudo-terminal that the service has open."""
    assert crashed(tmp_path, "cable", Settings(tick=0.05, pause=0.1), kills=3).findings == []


@pytest.mark.parametrize("fault", FAULTS)
def test_agents_that_are_broken_on_purpose_are_found(tmp_path: Path, fault: str):
    what, column = _FOUND_IN[fault]
    settings = Settings(tick=0.02, pause=0.05, rest=0.5, has_service=False, broken=fault)
    with two(tmp_path, settings) as network:
        while not getattr(network.so_far(), column):
            assert network.kills < _MOST
            wait_until(lambda: all(site.works for site in network.sites), "agents work")
            network.crash(what, waits=False)
