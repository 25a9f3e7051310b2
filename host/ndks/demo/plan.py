# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What both sides were told before they were parted: which keys to ask for, and where each lays what it got."""

from pathlib import Path

BEFORE_UNPLUG = (128, 256, 1000, 8192)  # bits of the keys asked for, in order
INTERRUPTED = 100_000_000  # bits: minutes of work, so that the cable is always pulled in the middle
AFTER_UNPLUG = (2048, 192, 65537)

STREAMING = "streaming"  # what the laptop says when the long key has begun to arrive

TIMEOUT = 120.0  # seconds for a whole side


class SideFiles:
    """The files of one side, all in its own directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.unit = directory / "unit"
        self.keys = directory / "keys"
        self.log = directory / "log.txt"
        self.evidence = directory / "evidence.json"

    def key(self, index: int, bits: int) -> Path:
        return self.keys / f"{index:03d}-{bits}.key"
