# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The wheel and the source archive, built as for a release once a run, and environments with nothing but the wheel."""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from host.running import Finished, environment
from packaging.requirements import Requirement

CLONE = Path(__file__).parents[2]
TIMEOUT = 600.0  # seconds


def install(wheel: Path, directory: Path) -> "InstalledCommand":
    """Make a virtual environment with only a wheel and its declared dependencies, without a network."""
    check(sys.executable, "-m", "venv", "--without-pip", str(directory))
    installed = InstalledCommand(directory)
    pip = (sys.executable, "-m", "pip", "--python", str(installed.python), "--disable-pip-version-check")
    check(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    for name in needed(requirements_of(wheel)):
        lend(name, installed.site_packages)
    return installed


def check(*command: str) -> None:
    """Run a program; it must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(sys.prefix), timeout=TIMEOUT, check=False, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr


class InstalledCommand:
    """The command `ndks` of a virtual environment."""

    def __init__(self, directory: Path) -> None:
        folders = {name: Path(sysconfig.get_path(name, "venv", places(directory))) for name in ("scripts", "purelib")}
        self.site_packages = folders["purelib"]
        self._scripts = folders["scripts"]

    @property
    def python(self) -> Path:
        return self._scripts / Path(sys.executable).name

    def run(self, *arguments: object, cwd: Path) -> Finished:
        """Run the command as a user does: in some directory, with the clone not on its path."""
        command = [str(self._scripts / "ndks"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, cwd=cwd, timeout=TIMEOUT, check=False, env=environment())
        return Finished(done.returncode, done.stdout, done.stderr.decode())

    def evaluate(self, code: str, cwd: Path) -> str:
        """Return the output of Python code in this environment."""
        command = [str(self.python), "-c", code]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT, check=True, env=environment()
        ).stdout


def places(directory: Path) -> dict[str, str]:
    return {"base": str(directory), "platbase": str(directory), "installed_base": str(directory)}


def requirements_of(wheel: Path) -> list[str]:
    (metadata,) = importlib.metadata.Distribution.discover(name="ndks", path=[str(wheel)])
    return metadata.requires or []


def needed(requirements: list[str]) -> Iterator[str]:
    """Yield the names of all dependencies, direct or indirect."""
    waiting, seen = list(requirements), set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        yield requirement.name
        waiting += importlib.metadata.requires(requirement.name) or []


def lend(name: str, site_packages: Path) -> None:
    """Make a package of this environment visible in another one; undeclared packages stay invisible."""
    distribution = importlib.metadata.distribution(name)
    files = distribution.files or []
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        source, target = Path(os.fspath(distribution.locate_file(top))), site_packages / top
        if not target.exists():
            target.symlink_to(source, target_is_directory=source.is_dir())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the wheel, the source archive, and the environment with the installed wheel."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build(tmp_path_factory.mktemp("dist"))
    # Once for all workers, which share the parent of their temporary directories.
    shared = tmp_path_factory.getbasetemp().parent / "dist"
    with FileLock(f"{shared}.lock"):
        return shared if (shared / "complete").exists() else build(shared)


def build(directory: Path) -> Path:
    # The wheel is built from the source archive, which proves that the archive is complete.
    check(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(CLONE))
    install(wheel_in(directory), directory / "venv")
    (directory / "complete").touch()
    return directory


def wheel_in(directory: Path) -> Path:
    (wheel,) = directory.glob("*.whl")
    return wheel
