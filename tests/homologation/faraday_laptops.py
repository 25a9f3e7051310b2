# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two laptops in one process, each with its own bindings, unit and desk, and simulated machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.running import Finished

import ndks
from ndks.laptop.homes import HOME
from ndks_laboratory.faraday import Computer, LaptopChannel, channels

SALT = "00112233445566778899aabbccddeeff"
LETTER = b"Meet me at noon. " * 100
ETHERNET = LaptopChannel("interface", "eth0", "carrier, 192.0.2.2", True, "pull the cable of eth0")


def make_tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a simulated system; a path that ends with a slash is a directory."""
    (root / "sys/class").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
    return root


def machine(root: Path, files: Mapping[str, str] | None = None, **answers: Any) -> Computer:
    """Return a simulated Linux machine with these files; other answers are empty."""
    known: dict[str, Any] = {"interfaces": list, "mounts": list, "ports": list, "system": "Linux"}
    return Computer(make_tree(root, files or {}), **known | answers)


@dataclass
class FaradayLaptop:
    """One of the two laptops."""

    name: str
    desk: Path
    port: str
    call: Call
    monkeypatch: pytest.MonkeyPatch
    # The open channels of the next looks, in order; later looks find none.
    looks: list[list[LaptopChannel]] = field(default_factory=list)

    @property
    def record(self) -> Path:
        return self.desk / "record.json"

    @property
    def letter(self) -> Path:
        return self.desk / "letter.txt"

    @property
    def capsule(self) -> Path:
        return self.desk / "letter.txt.ndks"

    def ndks(self, *arguments: object) -> Finished:
        """Run a command on this laptop."""
        with self.monkeypatch.context() as patch:
            patch.setenv(HOME, str(self.desk / "home"))
            patch.setattr(channels, "radios", lambda machine: self.looks.pop(0) if self.looks else [])
            return self.call(*arguments)

    def run(self, *options: object, keys: int = 3, salt: str = SALT) -> Finished:
        """Do this laptop's part of the test."""
        where = ("--unit", self.port, "-o", self.record)
        return self.ndks("faraday", "run", "--salt", salt, "--keys", keys, *where, *options)

    def send(self, *options: object, keys: int = 3) -> Finished:
        """Do this laptop's part of the test, with the letter."""
        return self.run("--message", self.letter, *options, keys=keys)

    def next_index(self) -> int:
        with self.monkeypatch.context() as patch:
            patch.setenv(HOME, str(self.desk / "home"))
            with ndks.open(self.port) as unit:
                return unit.next_index()[1]


def make_laptop(
    name: str, directory: Path, network: ndks.Network, lane: int, call: Call, monkeypatch: pytest.MonkeyPatch
) -> FaradayLaptop:
    """Make a laptop with a unit, and a letter on its desk; the real machine is hidden."""
    desk = directory / name
    desk.mkdir()
    quiet = machine(directory / "system")
    monkeypatch.setattr(channels, "Computer", lambda: quiet)
    laptop = FaradayLaptop(name, desk, f"emulator:{desk / 'unit'}", call, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setenv(HOME, str(desk / "home"))
        with ndks.open(laptop.port, create=True) as unit:
            unit.bind(unit.provision(network, lane))
    laptop.letter.write_bytes(LETTER)
    return laptop
