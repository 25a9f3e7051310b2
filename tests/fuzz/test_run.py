# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`make fuzz` itself: it finds what is there to be found, says so, and the finding comes again."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "run.py"
needs_atheris = pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="no atheris for this Python here")


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, RUN, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=110, check=False
    )


@needs_atheris
def test_a_fault_is_found_and_comes_again(tmp_path: Path) -> None:
    ended = run("20", "--target", "faulty", "--corpus", tmp_path / "corpus")
    assert ended.returncode == 1, ended.stdout
    assert "AssertionError: three bytes in their order" in ended.stdout
    again = re.search(r"--reproduce faulty (\S+)", ended.stdout)
    assert again
    assert run("--reproduce", "faulty", again[1]).returncode == 1
    (tmp_path / "harmless").write_bytes(b"other bytes")
    assert run("--reproduce", "faulty", tmp_path / "harmless").returncode == 0


@needs_atheris
def test_a_sound_target_keeps_its_inputs(tmp_path: Path) -> None:
    ended = run("1", "--target", "frames", "--corpus", tmp_path / "corpus")
    assert ended.returncode == 0, ended.stdout
    assert re.match(r"frames: \d+ executions, \d+ inputs kept", ended.stdout)
    assert len(list((tmp_path / "corpus" / "frames").iterdir())) > 100


def test_without_atheris_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'atheris' else find(name, *more)\n"
    )
    ended = run("1", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    assert "there is no atheris for this Python" in ended.stderr
