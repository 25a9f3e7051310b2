# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two laptops between which requests and packages go: a candidate's with a unit, and an administrator's."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host.running import Finished, run
from support.reference import load_vectors

from ndks.laptop.homes import HOME
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import load_request
from ndks.network.network_file import Network

LOW_ORDER: list[str] = load_vectors("x25519")["low_order"]
WRONG_WORDS = "zoo zoo zoo zoo zoo zoo"


@dataclass
class Joining:
    """A candidate with the unit at `port`, and an administrator with a network file."""

    directory: Path
    network_file: Path
    port: str

    @property
    def request_file(self) -> Path:
        return self.directory / "unit.ndksrequest"

    @property
    def package_file(self) -> Path:
        return self.directory / "unit.ndkspackage"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the candidate."""
        return {HOME: str(self.directory / "candidate")}

    def request(self, *options: object) -> Finished:
        return run("join", "request", "--unit", self.port, "-o", self.request_file, *options, **self.environment)

    def forget_request(self) -> None:
        """Remove the request and its opening: another is made."""
        self.request_file.unlink()
        self.request_file.with_name(f"{self.request_file.name}.opening").unlink(missing_ok=True)

    def answer(self, *options: object, words: str | None = None) -> Finished:
        """Make the package; without `words`, the right ones are given."""
        words = load_request(self.request_file).words if words is None else words
        answer = ("--for", self.request_file, "-o", self.package_file, "--words", words, *options)
        return run("provision", self.network_file, *answer, **{HOME: str(self.directory / "administrator")})

    def use(self, *options: object, words: str | None = None) -> Finished:
        """Use the package; without `words`, the right ones are given."""
        words = JoinPackage.load(self.package_file).words if words is None else words
        return self.candidate("provision", self.package_file, "--words", words, *options)

    def candidate(self, *arguments: object) -> Finished:
        """Run a command with the unit at the candidate's laptop."""
        return run(*arguments, "--unit", self.port, **self.environment)

    def change(self, path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
        """Change the fields of a file."""
        values = json.loads(path.read_text())
        edit(values)
        path.write_text(json.dumps(values))

    def until_package(self) -> None:
        """Bring both to the point where the candidate has the package."""
        for finished in (self.request(), self.answer()):
            assert finished.status == 0, finished.stderr


@pytest.fixture
def joining(tmp_path: Path, network_file: Path) -> Joining:
    return Joining(tmp_path, network_file, f"emulator:{tmp_path / 'unit'}")


def members(joining: Joining) -> list[tuple[int, str]]:
    return [(member.lane, member.label) for member in Network.load(joining.network_file).members]
