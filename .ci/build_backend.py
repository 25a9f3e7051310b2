# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hatchling, with the board's compiler for wheels only: an editable install needs none."""

import tomllib
from pathlib import Path
from typing import Any

from hatchling.build import *  # noqa: F403 (all other hooks)
from hatchling.build import get_requires_for_build_wheel as required


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Return what a wheel is built with."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    return [*required(config_settings), *project["dependency-groups"]["deploy"]]
