# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `make fuzz`: it finds a fault, reports it, and can reproduce it."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

RUN = Path(__file__).parent / "run.py"
needs_atheris = pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="no atheris for this Python here")


@given(st.integers(0, 255), st.integers(0, 255))
def faulty(first: int, second: int) -> None:
    """A fuzz test with a fault, which the run must find."""
    if first == ord("a"):
        assert second != ord("b"), "two bytes in their order"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, RUN, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=590, check=False
    )


@needs_atheris
def test_a_fault_is_found_and_comes_again(tmp_path: Path) -> None:
    ended = run("300", "--target", "run:faulty", "--corpus", tmp_path / "corpus")
    assert ended.returncode == 1, ended.stdout
    assert "AssertionError: two bytes in their order" in ended.stdout
    again = re.search(r"--reproduce run:faulty (\S+)", ended.stdout)
    assert again
    assert run("--reproduce", "run:faulty", again[1]).returncode == 1
    (tmp_path / "harmless").write_bytes(b"other bytes")
    assert run("--reproduce", "run:faulty", tmp_path / "harmless").returncode == 0


@needs_atheris
def test_a_sound_target_keeps_its_inputs(tmp_path: Path) -> None:
    ended = run("10", "--target", "frames", "--corpus", tmp_path / "corpus")
    assert ended.returncode == 0, ended.stdout
    assert re.match(r"frames: \d+ executions, \d+ inputs kept", ended.stdout)
    assert len(list((tmp_path / "corpus" / "frames").iterdir())) > 64


def test_without_atheris_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'atheris' else find(name, *more)\n"
    )
    ended = run("1", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    assert "there is no atheris for this Python" in ended.stderr
