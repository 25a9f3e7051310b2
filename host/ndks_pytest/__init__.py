# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fixtures for the tests of programs that use units: a plugin of pytest, described in docs/ci.md.

The names below are for annotations: `def test_app(ndks_unit: UnitInTest) -> None`.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = ("NetworkInTest", "PortInTest", "UnitInTest")

if TYPE_CHECKING:
    from .network import NetworkInTest
    from .port import PortInTest
    from .unit import UnitInTest
else:
    _PLACES = {"NetworkInTest": ".network", "PortInTest": ".port", "UnitInTest": ".unit"}

    def __getattr__(name: str) -> object:
        """Load a name at its first use: pytest imports this package wherever ndks is installed."""
        if name in _PLACES:
            return getattr(importlib.import_module(_PLACES[name], __name__), name)
        raise AttributeError(f"module {__name__} has no attribute {name}")
