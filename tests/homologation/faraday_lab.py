# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two laptops, and the expert who compares their records."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from homologation.faraday_laptops import FaradayLaptop, make_laptop
from host.conftest import Call
from host.running import Finished

import ndks
from ndks_laboratory.faraday import Record, compare_records, keys_of_network
from ndks_laboratory.outcome import Check


@pytest.fixture
def network(request: pytest.FixtureRequest) -> ndks.Network:
    return ndks.Network.new("office", suite=getattr(request, "param", "hybrid"), p1="0.52", p2="25")


@dataclass
class Lab:
    """Two laptops, and the expert with the network file."""

    alice: FaradayLaptop
    bob: FaradayLaptop
    network: ndks.Network
    file: Path

    def take_keys(self) -> None:
        for finished in (self.alice.send(), self.bob.run()):
            assert finished.status == 0, finished.stderr

    def compare(self, *options: object) -> Finished:
        return self.alice.ndks("faraday", "compare", self.alice.record, self.bob.record, *options)

    def verdict(self, *options: object) -> dict[str, Any]:
        """Compare with the network file; check that exit status and result agree."""
        finished = self.compare("--network", self.file, "--json", *options)
        values = json.loads(finished.text)
        assert finished.status == (0 if values["held"] else 1)
        return values

    def failures(self, *options: object) -> dict[str, str]:
        """Return the failed checks with their details."""
        return {each["name"]: each["detail"] for each in self.verdict(*options)["checks"] if each["held"] is False}

    def records(self) -> tuple[Record, Record]:
        return Record.load(self.alice.record), Record.load(self.bob.record)

    def checks(self, a: Record, b: Record) -> dict[str, Check]:
        return {check.name: check for check in compare_records([a, b], keys_of_network(self.network))}


@pytest.fixture
def lab(network: ndks.Network, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Lab:
    alice, bob = (
        make_laptop(name, tmp_path, network, n, call, monkeypatch) for n, name in enumerate(("alice", "bob"), 1)
    )
    network.save(tmp_path / "office.ndksnet")
    return Lab(alice, bob, network, tmp_path / "office.ndksnet")
