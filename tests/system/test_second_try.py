# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`make test` tries a few failed tests again, and fails where one fails again or many fail."""

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[1] / "checks" / "second_try.py"
_UNSTEADY = """
from pathlib import Path
def test_unsteady():
    before = Path("tried")
    tried = before.exists()
    before.touch()
    assert tried
def test_steady():
    pass
"""
_SKIPPED = """
import pytest
from pathlib import Path
def test_unsteady():
    if Path("tried").exists():
        pytest.skip("it cannot be tried")
    Path("tried").touch()
    assert False
"""
_LEFT = """
import pytest
@pytest.fixture(scope="module", autouse=True)
def nothing_is_left():
    left = []
    yield left
    assert not left
def test_that_leaves_something(nothing_is_left):
    nothing_is_left.append(1)
def test_that_is_the_last():
    pass
"""
_WRONG = "def test_wrong():\n    assert False\n"


def tried(directory: Path, text: str) -> tuple[int, subprocess.CompletedProcess[str]]:
    """Run the tests of a text, then the second try; return the status of the first run, and the second."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "test_it.py").write_text(text)
    first = subprocess.run([sys.executable, "-m", "pytest", "-n", "2"], cwd=directory, capture_output=True, check=False)
    command = [sys.executable, str(_SCRIPT), str(first.returncode)]
    return first.returncode, subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_one_that_passes_alone_is_named(tmp_path: Path) -> None:
    first, second = tried(tmp_path, _UNSTEADY)
    assert (first, second.returncode) == (1, 0)
    assert second.stdout.splitlines()[-1] == "UNSTEADY, passed at the second try only: test_it.py::test_unsteady"


def test_one_that_fails_again_fails(tmp_path: Path) -> None:
    first, second = tried(tmp_path, _UNSTEADY + _WRONG)
    assert (first, second.returncode) == (1, 1)
    assert "UNSTEADY" not in second.stdout
    assert "1 failed, 2 passed" in second.stdout


@pytest.mark.parametrize("text", [_SKIPPED, _LEFT])
def test_one_that_is_skipped_then_and_what_another_has_left_fail(tmp_path: Path, text: str) -> None:
    first, second = tried(tmp_path, text)
    assert (first, second.returncode) == (1, 1)
    assert "SECOND TRY" in second.stdout
    assert "UNSTEADY" not in second.stdout


def test_modules_that_differ_get_none(tmp_path: Path) -> None:
    differing = "import os\nif os.environ.get('PYTEST_XDIST_WORKER') != 'gw0':\n    def test_more():\n        pass\n"
    first, second = tried(tmp_path, _UNSTEADY + differing)
    assert (first, second.returncode, second.stdout) == (1, 1, "")


def test_many_get_none(tmp_path: Path) -> None:
    many = "".join(_WRONG.replace("wrong", f"wrong_{number}") for number in range(6))
    first, second = tried(tmp_path, many)
    assert (first, second.returncode, second.stdout) == (1, 1, "")


def test_a_module_that_cannot_be_imported_fails(tmp_path: Path) -> None:
    first, second = tried(tmp_path, "import nothing_like_it\n")
    assert first
    assert second.returncode
    assert "UNSTEADY" not in second.stdout
