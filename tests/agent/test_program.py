# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An agent belongs to the unit that was there when it started."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import ndks
from ndks.agent.running import program
from ndks.agent.running.program import Program
from ndks.exceptions import DeviceError, NdksError, NoUnit, PortPermission, SeveralUnits, UnitBusy, UnitTimeout
from ndks_protocol import errors


class Opened:
    """A unit in place of `ndks.open`, which may be away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.serial_number = "A" * 16
        self.problems: list[NdksError] = []  # of the next attempts
        monkeypatch.setattr(ndks, "open", self._open)
        monkeypatch.setattr(program, "NetworkUnit", lambda unit: unit)  # pyright: ignore
        monkeypatch.setattr(program, "_PAUSE", 0.01)
        monkeypatch.setattr("ndks.agent.running.loop.Loop.run", lambda _: None)

    @contextlib.contextmanager
    def _open(self, *_: object) -> Iterator[object]:
        if self.problems:
            raise self.problems.pop(0)
        yield SimpleNamespace(hello=SimpleNamespace(serial_number=self.serial_number), unlock=lambda: None)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


@pytest.mark.usefixtures("runtime")
def test_an_agent_waits_for_its_unit_and_says_so(
    tmp_path: Path, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    opened.problems = [NoUnit("no unit was found")] * 3 + [UnitBusy("the unit is in use"), UnitTimeout("no answer")]
    started: list[str] = []
    Program(None, 1, [f"dir:{tmp_path}"]).run(lambda serial_number, _: started.append(serial_number))
    assert started == ["A" * 16]
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "NO_UNIT: no unit was found",
        "BUSY: the unit is in use",
        "TIMEOUT: no answer",
    ]


@pytest.mark.usefixtures("runtime")
def test_what_does_not_mend_by_itself_ends_it(tmp_path: Path, opened: Opened) -> None:
    for error in (SeveralUnits("two units"), PortPermission("not yours"), DeviceError(errors.BINDING)):
        opened.problems = [error]
        with pytest.raises(type(error)):
            Program(None, 1, [f"dir:{tmp_path}"]).run(lambda *_: None)


@pytest.mark.usefixtures("runtime")
def test_another_unit_in_its_place_is_refused(tmp_path: Path, opened: Opened) -> None:
    """It may be of another network, and have the same lane: the messages that wait are not for that."""
    agent = Program(None, 1, [f"dir:{tmp_path}"])
    agent.run(lambda *_: None)
    with agent._open_unit():
        pass
    opened.serial_number = "B" * 16
    with pytest.raises(NoUnit, match="is in the place of unit"), agent._open_unit():
        pass
