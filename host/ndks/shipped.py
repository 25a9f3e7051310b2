# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that are no Python of ours but come with it."""

from pathlib import Path

_CLONE = Path(__file__).parents[2]
UDEV_RULE = "70-ndks.rules"


def shipped(name: str, *, in_clone: str) -> Path:
    """Return the folder `name`: inside this package in a wheel, at `in_clone` in a clone."""
    installed = Path(__file__).parent / f"_{name}"
    return installed if installed.is_dir() else _CLONE / in_clone


def udev_advice() -> str:
    """Return the command that lets this user open units on Linux."""
    rule = shipped("hardware", in_clone="hardware") / UDEV_RULE
    return f"sudo cp {rule} /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger"
