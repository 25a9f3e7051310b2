# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Leaves these tests out where ndks-chip is not installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest

_REASON = "needs ndks-chip, which `make chip` installs"


class _LeftOut(pytest.Module):
    def collect(self) -> list[pytest.Item]:
        return [_Skipped.from_parent(self, name="all")]


class _Skipped(pytest.Item):
    def runtest(self) -> None:
        pytest.skip(_REASON)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if find_spec("ndks_chip") is None:
        return _LeftOut.from_parent(parent, path=module_path)
    return None  # collected as usual
