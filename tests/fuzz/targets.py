# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is fuzzed, by name: modules with `run`, which fails where an invariant does not hold, and `seeds`."""

import importlib
from typing import Any

NAMES = ("frames", "requests", "sessions", "capsules", "files", "flash")


def target(name: str) -> Any:
    """The module of a target."""
    return importlib.import_module(f"fuzz.{name}")
