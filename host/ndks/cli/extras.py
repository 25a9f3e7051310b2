# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check for optional packages that only some commands need."""

import importlib.metadata
import re

from .arguments import need


def need_extra(extra: str) -> None:
    """Raise UsageError unless all packages of an extra are installed."""
    of_extra = re.compile(rf"([\w.-]+)[^;]*;.*\bextra == ['\"]{extra}['\"]")
    wanted = filter(None, map(of_extra.match, importlib.metadata.requires("ndks") or ()))
    missing = [found[1] for found in wanted if not _is_installed(found[1])]
    what = f"this command needs ndks[{extra}], which is not installed: {', '.join(missing)}"
    need(not missing, what, f"in the clone, run pip install -e '.[{extra}]'")


def _is_installed(package: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=package))
