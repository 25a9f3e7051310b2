# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Paths of shipped files that are not modules: inside this package in a wheel, at the top of a clone."""

import shlex
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CLONE = _PACKAGE.parents[1]
_IN_WHEEL = (_PACKAGE / "_hardware").is_dir()

CIRCUITPY = _PACKAGE / "_circuitpy" if _IN_WHEEL else _CLONE / "firmware" / "circuitpy"
RELEASE = _PACKAGE / "_release"  # the compiled firmware; a clone has none
UDEV_RULE = (_PACKAGE / "_hardware" if _IN_WHEEL else _CLONE / "hardware") / "70-ndks.rules"


def udev_advice() -> str:
    """Return the command that gives users access to units on Linux."""
    copy = f"sudo cp {shlex.quote(str(UDEV_RULE))} /etc/udev/rules.d/"
    return f"{copy} && sudo udevadm control --reload && sudo udevadm trigger"
