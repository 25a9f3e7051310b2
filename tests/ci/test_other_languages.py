# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What docs/ci.md shows: first tests, workflows, and programs in other languages that greet an emulated unit."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.running import environment
from support.emulate_process import EmulateProcess, emulated
from support.ports import free_port

from ci.projects import TIMEOUT, run_pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
VECTORS = str(ROOT / "protocol" / "vectors" / "frames.json")
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def shown(language: str) -> list[str]:
    """Return the blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[EmulateProcess]:
    with emulated(tmp_path / "alice", "--tcp", "0") as running:
        yield running


def greet(unit: EmulateProcess, *command: str) -> None:
    """Run a program of the page, twice: it must leave the unit free for the next."""
    for _ in range(2):
        words = [*command, unit.port.rpartition(":")[2], VECTORS]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(
            r"60 frames equal, 5 dropped\nunit [0-9A-F]{16}, protocol 3\.\d+, state 0\n", done.stdout
        ), done.stdout


@pytest.mark.consumers("node")
def test_node(unit: EmulateProcess, tmp_path: Path) -> None:
    (program,) = shown("js")
    (tmp_path / "greet.mjs").write_text(program)
    greet(unit, "node", str(tmp_path / "greet.mjs"))


@pytest.mark.consumers("cc|gcc")
@pytest.mark.parametrize("options", [[], SANITIZED], ids=["plain", "sanitized"])
def test_c(unit: EmulateProcess, tmp_path: Path, options: list[str]) -> None:
    (program,) = shown("c")
    (tmp_path / "greet.c").write_text(program)
    compiler = shutil.which("cc") or "gcc"
    command = [compiler, "-std=c11", "-D_DEFAULT_SOURCE", "-O1", *STRICT, *options, "-o", "greet", "greet.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    if options and "cannot find" in done.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert done.returncode == 0, done.stderr
    greet(unit, str(tmp_path / "greet"))


@pytest.mark.consumers("node", "cc")
def test_lines_of_the_page(tmp_path: Path) -> None:
    """As they stand there, at another port."""
    for file, language in (("greet.mjs", "js"), ("greet.c", "c")):
        (tmp_path / file).write_text(*shown(language))
    (tmp_path / "protocol").symlink_to(ROOT / "protocol")
    (lines,) = re.findall(r"^    ndks emulate.*\n(?:    .*\n)+", PAGE, re.MULTILINE)
    lines = lines.replace("7000", str(free_port()))
    script = f'ndks() {{ exec "{sys.executable}" -m ndks "$@"; }}\ntrap "kill %1; wait" EXIT\n{lines}'
    done = subprocess.run(
        ["bash", "-em", "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.count("60 frames equal, 5 dropped\nunit ")) == (0, 2), done.stderr


@pytest.mark.consumers("node")
def test_node_program_without_a_unit_says_so(tmp_path: Path) -> None:
    (program,) = shown("js")
    (tmp_path / "greet.mjs").write_text(program)
    words = ["node", str(tmp_path / "greet.mjs"), "1", VECTORS]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 1
    assert "ECONNREFUSED" in done.stderr


def test_first_test_of_a_newcomer(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name, tests in zip(("test_first.py", "test_sites.py"), shown("python"), strict=True):
        (project / name).write_text(tests)
    outcome = run_pytest(project)
    assert outcome.counts == {"passed": 4}, outcome.output


def test_workflows_install_ndks_and_run_the_tests() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    github, gitlab = map(yaml.safe_load, shown("yaml"))
    steps = [step["run"] for step in github["jobs"]["test"]["steps"] if "run" in step]
    assert steps == gitlab["test"]["script"] == ['pip install "$NDKS" pytest pytest-xdist', "pytest -n auto"]
    assert github["jobs"]["test"]["env"]["NDKS"] == gitlab["test"]["variables"]["NDKS"]
    pythons = github["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert pythons == gitlab["test"]["parallel"]["matrix"][0]["PYTHON"] == ["3.11", "3.12", "3.13"]
