# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two sides: what each is called, where its unit is, and where it lays its files."""

from dataclasses import dataclass
from pathlib import Path

from ndks.laptop.bindings import BindingStore
from ndks_laboratory.faraday import capsule_of

NAMES = ("alice", "bob")


@dataclass(frozen=True)
class Side:
    """One side: its unit's port, and its files, all in its own directory."""

    name: str
    port: str
    directory: Path

    @property
    def bindings(self) -> BindingStore:
        """What this side's laptop knows of its unit."""
        return BindingStore(self.laptop)

    @property
    def laptop(self) -> Path:
        return self.directory / "laptop"

    @property
    def keys(self) -> Path:
        return self.directory / "keys"

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    @property
    def record(self) -> Path:
        return self.directory / "no-channel.json"

    @property
    def evidence(self) -> Path:
        return self.directory / "evidence.json"

    def reading(self, batch: int) -> Path:
        """Return where the process that decrypts a batch writes down what it saw."""
        return self.directory / f"reading-{batch}.json"

    def letter(self, number: int) -> Path:
        return self.directory / f"letter-{number}.txt"

    def capsule(self, number: int) -> Path:
        return capsule_of(self.letter(number))

    def received(self, number: int) -> Path:
        return self.directory / f"received-{number}.ndks"

    def opened(self, number: int) -> Path:
        return self.directory / f"received-{number}.txt"

    def make(self) -> None:
        """Make its directory, which nobody else may read."""
        self.directory.mkdir(mode=0o700)
