# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An empty virtual environment with nothing in it but a wheel and what that declares to need; without a network."""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from host.running import Finished, environment
from packaging.requirements import Requirement

TIMEOUT = 120.0


def install(wheel: Path, directory: Path) -> "InstalledCommand":
    """Make the environment in `directory`."""
    check(sys.executable, "-m", "venv", "--without-pip", str(directory))
    installed = InstalledCommand(directory)
    pip = (sys.executable, "-m", "pip", "--python", str(installed.python), "--disable-pip-version-check")
    check(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    for name in _needed(_requirements_of(wheel)):
        _lend(name, installed.site_packages)
    return installed


def check(*command: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(sys.prefix), timeout=TIMEOUT, check=False, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr


class InstalledCommand:
    """The command `ndks` of a virtual environment."""

    def __init__(self, directory: Path) -> None:
        folders = {name: Path(sysconfig.get_path(name, "venv", _places(directory))) for name in ("scripts", "purelib")}
        self.site_packages = folders["purelib"]
        self._scripts = folders["scripts"]

    @property
    def python(self) -> Path:
        return self._scripts / Path(sys.executable).name

    def run(self, *arguments: object, cwd: Path) -> Finished:
        """Run the command in some directory, as a user does: the clone is nowhere on its path."""
        command = [str(self._scripts / "ndks"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, cwd=cwd, timeout=TIMEOUT, check=False, env=environment())
        return Finished(done.returncode, done.stdout, done.stderr.decode())

    def evaluate(self, code: str, cwd: Path) -> str:
        """Return what a piece of Python prints there."""
        command = [str(self.python), "-c", code]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT, check=True, env=environment()
        ).stdout


def _places(directory: Path) -> dict[str, str]:
    return {"base": str(directory), "platbase": str(directory), "installed_base": str(directory)}


def _requirements_of(wheel: Path) -> list[str]:
    (metadata,) = importlib.metadata.Distribution.discover(name="ndks", path=[str(wheel)])
    return metadata.requires or []


def _needed(requirements: list[str]) -> Iterator[str]:
    """Yield the names of all that is needed, directly or not."""
    waiting, seen = list(requirements), set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        yield requirement.name
        waiting += importlib.metadata.requires(requirement.name) or []


def _lend(name: str, site_packages: Path) -> None:
    """Make a package of this environment visible in another one: what nobody declares stays invisible."""
    distribution = importlib.metadata.distribution(name)
    files = distribution.files or []
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        source, target = Path(os.fspath(distribution.locate_file(top))), site_packages / top
        if not target.exists():
            target.symlink_to(source, target_is_directory=source.is_dir())
