# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bench on CircuitPython, for a d that takes little time."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.chip


def test_a_unit_is_measured() -> None:
    from benchmarks.on_chip import memory, times
    from benchmarks.on_chip.__main__ import Bench
    from benchmarks.on_chip.chip_unit import ChipUnit
    from benchmarks.on_chip.drives import CLONE
    from benchmarks.on_chip.host import Host
    from benchmarks.on_chip.member import Member
    from benchmarks.on_chip.stacks import StackMarks

    bench = Bench(Path(os.environ["NDKS_UF2"]))
    host = Host(ChipUnit(bench.flash(CLONE), bench.symbols))
    marks = StackMarks(host.unit.chip, bench.symbols)
    host.provision(1)
    host.start_session()
    member = Member(host)
    found = memory.memory(member) | times.bits(member)
    member.everything()
    found |= memory.stacks(marks)
    assert 10 < found["free"] < 200
    assert found["largest"] < found["free"]
    assert 1 < found["bit"] < 100
    assert 1 < found["C stack"] < 24
    assert 10 < found.get("Python stack", 50) < 100


def test_a_network_with_generations_is_measured() -> None:
    """The largest notice, and 4096 steps of a ratchet, in the time and the memory that there is."""
    from benchmarks.on_chip.__main__ import Bench
    from benchmarks.on_chip.drives import CLONE
    from benchmarks.on_chip.generations import generations

    bench = Bench(Path(os.environ["NDKS_UF2"]))
    found = generations(bench.flash(CLONE), bench.symbols)
    assert found["restarts"] == 0
    assert found["ratchet"] < 8
    assert found["largest notice"] < 2
    assert found["free with generations"] > 40
    assert found["free with the largest records"] > 30
    assert found["beacon"] < 150
    assert found["CONTROL"] < 150
    assert (found["renewal, nvm"], found["generation, nvm"]) == (2, 2)
    assert found["years"] > 5
    assert found.get("Python stack, network", 50) < 90
