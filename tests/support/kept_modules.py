# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Modules that a unit loads for one task, imported for good: units in memory would spend a third of their time on it.

A unit does not drop what its host has loaded. `tests/firmware/test_on_demand.py` and `tests/micropython` test loading.
"""

import importlib

from ndks_unit import on_demand
from ndks_unit.dispatcher import ON_DEMAND

from . import quick_curve
from .power_cuts import FULL

for _name in ("key_agreement", *ON_DEMAND.values()):
    importlib.import_module(f"{on_demand.__name__}.{_name}")
for _name in ("curve25519", "public_key", "x25519", "sealed_package"):
    importlib.import_module(f"ndks_protocol.{_name}")
if not FULL:
    on_demand.load = quick_curve.load
