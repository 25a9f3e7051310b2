# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the parsers and runners of external statistical tools: every tool gives a row, whatever it does."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.external import ToolRow, external_rows

TOOLS = ("ent", "rngtest", "dieharder")
COUNT = 1 << 22

needs_all = pytest.mark.consumers(*TOOLS)


def rows(bits: np.ndarray, timeout: float = 600.0) -> dict[str, ToolRow]:
    return {row.tool: row for row in external_rows(bits.astype(np.uint8), timeout)}


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace PATH by a folder for a single program, a script named ent."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "ent"
    path.touch(mode=0o700)
    return path


@needs_all
def test_random_bits_pass() -> None:
    found = rows(np.random.default_rng(1).integers(0, 2, COUNT))
    assert tuple(found) == TOOLS
    assert [row.outcome for row in found.values()] == ["ok"] * 3
    assert all(row.version for row in found.values()) or not shutil.which("dpkg-query")
    assert found["ent"].summary.startswith("7.999")
    assert " of 209 blocks fail" in found["rngtest"].summary
    assert found["dieharder"].summary.startswith("34 p-values of 5 tests")


@needs_all
def test_zeros_fail() -> None:
    found = rows(np.zeros(COUNT))
    assert [row.outcome for row in found.values()] == ["failed"] * 3
    assert "209 of 209 blocks fail (Monobit 209," in found["rngtest"].summary


@needs_all
def test_bias_fails() -> None:
    found = rows(np.random.default_rng(2).random(COUNT) < 0.505)
    assert found["ent"].outcome == found["dieharder"].outcome == "failed"


@needs_all
def test_too_few_bits_have_no_outcome() -> None:
    found = rows(np.random.default_rng(3).integers(0, 2, 30_000))
    assert [row.outcome for row in found.values()] == ["ok", "ok", None]
    assert found["dieharder"].summary == "not run: it needs 4194304 bits"
    assert {row.outcome for row in rows(np.ones(64)).values()} == {None}


def test_a_file_read_twice_has_no_outcome(tool: Path) -> None:
    said = "echo 'name; 0;0.5'; echo '# The file file_input_raw was rewound 1 times' >&2"
    tool.with_name("dieharder").write_text(f"#!/bin/sh\n{said}\n")
    tool.with_name("dieharder").chmod(0o700)
    found = rows(np.zeros(COUNT))["dieharder"]
    assert (found.outcome, found.summary) == (None, "no result: dieharder -d 0 wants more bits")


def test_what_is_not_installed_says_so(tool: Path) -> None:
    tool.unlink()
    found = rows(np.zeros(COUNT))
    assert {row.outcome for row in found.values()} == {None}
    assert found["rngtest"].summary == "not installed (Debian's package rng-tools5)"


@pytest.mark.parametrize("said", ["", "0,File-bytes\nnot,what,you,think,it,is,\n", "0\n1,2\n"])
def test_nonsense_has_no_outcome(tool: Path, said: str) -> None:
    tool.write_text(f"#!/bin/sh\nprintf '{said}'\n")
    found = rows(np.zeros(COUNT))["ent"]
    assert found.outcome is None
    assert found.summary.startswith("no result")


def test_one_that_hangs_is_ended(tool: Path) -> None:
    tool.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    assert rows(np.zeros(COUNT), timeout=0.3)["ent"] == ToolRow("ent", "", None, "gave up after 0.3 s")
