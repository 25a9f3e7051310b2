# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An agent belongs to the unit that was there when it started."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import ndks
from ndks.agent.running.program import Program
from ndks.exceptions import NoUnit


@pytest.mark.usefixtures("runtime")
def test_another_unit_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It may be of another network, and have the same lane: the messages that wait are not for that."""
    serial_number = ["A" * 16]

    @contextlib.contextmanager
    def opened(*_: object) -> Iterator[object]:
        yield SimpleNamespace(hello=SimpleNamespace(serial_number=serial_number[0]), unlock=lambda: None)

    monkeypatch.setattr(ndks, "open", opened)
    monkeypatch.setattr("ndks.agent.running.program.NetworkUnit", lambda unit: unit)
    monkeypatch.setattr("ndks.agent.running.loop.Loop.run", lambda _: None)
    program = Program(None, 1, [f"dir:{tmp_path}"])
    program.run(lambda *_: None)
    with program._open_unit():
        pass
    serial_number[0] = "B" * 16
    with pytest.raises(NoUnit, match="is in the place of unit"), program._open_unit():
        pass
