# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two sides: names, ports of their units, and paths of their files."""

from dataclasses import dataclass
from pathlib import Path

from ndks.laptop.bindings import BindingStore
from ndks_laboratory.faraday import capsule_of

NAMES = ("alice", "bob")


@dataclass(frozen=True)
class Side:
    """A side: its name, the port of its unit, and the directory of its files."""

    name: str
    port: str
    directory: Path

    @property
    def bindings(self) -> BindingStore:
        """The binding store of this side's laptop."""
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
        """Return the path of the evidence of the process that decrypts a batch."""
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
        """Make the private directory of this side."""
        self.directory.mkdir(mode=0o700)
