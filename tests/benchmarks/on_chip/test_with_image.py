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
