# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A pytest plugin: coverage is measured in tests of the firmware that cut no power: they reach what the others reach.

Measuring takes as long again as the work of a unit, and power cuts start units thousands of times. The mark `no_cover`
of pytest-cov does not help: in a process of xdist, pytest-cov 7.1 measures twice, and stops only one of the two.
"""

import contextlib
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

_FIRMWARE = Path(__file__).parents[1] / "firmware"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    is_measured = _FIRMWARE in item.path.parents and "power_cuts" not in getattr(item, "fixturenames", ())
    with contextlib.nullcontext() if is_measured else _untraced():
        return (yield)


@contextlib.contextmanager
def _untraced() -> Generator[None]:
    """Suspend the trace function of coverage, or of a debugger, here and for new threads."""
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)
