# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network with administrators: the laptop of one, and that of candidates with emulated units."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.running import Finished

from ndks.laptop.homes import HOME
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.generation import Admission
from ndks.network.join_request import load_request
from ndks.network.member_package import MemberPackage

AGREED = ("--who", "Carol Chief", "--why", "a desk of hers")


@dataclass
class Administering:
    directory: Path
    call: Call
    patch: pytest.MonkeyPatch

    @property
    def file(self) -> Path:
        return self.directory / "office.ndksadmin"

    @property
    def state(self) -> Administration:
        return administrator_file.load(self.file)

    def request_of(self, name: str) -> Path:
        return self.directory / f"{name}.ndksrequest"

    def package_of(self, name: str) -> Path:
        return self.directory / f"{name}.ndkspackage"

    def home_of(self, name: str) -> Path:
        return self.directory / f"home-{name}"

    def port_of(self, name: str) -> str:
        return f"emulator:{self.directory / name}"

    def admin(self, *arguments: object) -> Finished:
        """Run a command at the administrator's laptop."""
        return self.at("administrator", *arguments)

    def candidate(self, name: str, *arguments: object) -> Finished:
        """Run a command with the unit of a candidate, at its laptop."""
        return self.at(name, *arguments, "--unit", self.port_of(name))

    def found(self, *options: object) -> None:
        done(self.admin("network", "new", "office", "--administered", "-o", self.file, *options))

    def request(self, name: str, *options: object) -> Path:
        path = self.request_of(name)
        done(self.candidate(name, "join", "request", "--label", name, "-o", path, *options))
        return path

    def forget_request(self, name: str) -> None:
        """Remove a request and its opening: another is made."""
        path = self.request_of(name)
        path.unlink()
        path.with_name(f"{path.name}.opening").unlink(missing_ok=True)

    def approve(self, name: str, *options: object, words: str = "", agreed: tuple[object, ...] = AGREED) -> Finished:
        """Approve a request; without `words`, the right ones are given."""
        request, package = self.request_of(name), self.package_of(name)
        words = words or load_request(request).words
        where = ("--network", self.file, "-o", package, "--words", words, "--yes")
        return self.admin("join", "approve", request, *where, *agreed, *options)

    def accept(self, name: str, *options: object, words: str = "") -> Finished:
        """Use a package; without `words`, the right ones are given."""
        package = self.package_of(name)
        words = words or MemberPackage.load(package).words
        return self.candidate(name, "join", "accept", package, "--words", words, "--yes", *options)

    def join(self, name: str) -> dict[str, Any]:
        """Make a unit a member, and return what `ndks join accept --json` says."""
        self.request(name)
        done(self.approve(name))
        return answer(self.accept(name, "--json"))

    def at(self, name: str, *arguments: object) -> Finished:
        """Run a command at the laptop of a candidate."""
        self.patch.setenv(HOME, str(self.home_of(name)))
        return self.call(*arguments)


def admit(office: Administering, *names: str) -> None:
    """Admit units of which a test needs nothing but the lanes."""
    with administrator_file.opened(office.file) as administrator:
        for number, name in enumerate(names):
            administrator.admit(f"{0xABC000 + number:016X}", Admission(name))
        administrator.issue()


def done(finished: Finished) -> Finished:
    assert finished.status == 0, finished.stderr
    return finished


def answer(finished: Finished) -> dict[str, Any]:
    return json.loads(done(finished).text)


def change(path: Path, **fields: Any) -> None:
    """Replace fields of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.fixture
def office(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Administering:
    """Return a network without members."""
    administering = Administering(tmp_path, call, monkeypatch)
    administering.found()
    return administering
