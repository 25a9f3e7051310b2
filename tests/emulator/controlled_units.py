# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units in processes of their own, with a control socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.control import Controlled, controlled

import ndks

LINES = [["--pty"], ["--tcp", "0"]]


@pytest.fixture(params=LINES, ids=["pty", "tcp"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Controlled]:
    with controlled(tmp_path / "alice", *request.param) as unit:
        yield unit


def serial_number(port: str) -> str:
    with ndks.open(port) as opened:
        return opened.hello.serial_number
