# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Completions: of commands, options, units and network files; bash itself completes in these tests."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import shtab
from host.conftest import Call, MakeUnit
from host.running import assert_refused, environment
from host.test_help import COMMANDS
from support.emulate_process import PATIENCE, emulated

needs_bash = pytest.mark.consumers("bash")


def completed(script: str, directory: Path, *words: str) -> set[str]:
    """Return what bash offers for the last of these words of a command line."""
    lines = [
        script,
        f"COMP_WORDS=(ndks {shlex.join(words)})",
        "COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))",
        "_shtab_ndks",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    ndks = directory / "bin" / "ndks"
    ndks.parent.mkdir(exist_ok=True)
    ndks.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ndks "$@"\n')
    ndks.chmod(0o755)
    path = {"PATH": f"{ndks.parent}:{os.environ['PATH']}"}
    bash = subprocess.run(
        [shutil.which("bash") or "", "--norc", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        cwd=directory,
        env=environment(path),
        timeout=PATIENCE,
        check=True,
    )
    return set(bash.stdout.split())


@pytest.mark.parametrize("shell", shtab.SUPPORTED_SHELLS)
def test_all_commands_are_in_it(shell: str, call: Call) -> None:
    script = call("completion", shell)
    assert (script.status, script.stderr) == (0, "")
    for command in COMMANDS:
        assert command[-1] in script.text


@needs_bash
def test_commands_and_options(desk: Path, call: Call) -> None:
    script = call("completion", "bash").text
    assert {"encrypt", "emulate", "eject"} <= completed(script, desk, "e")
    assert "--index" in completed(script, desk, "key", "--i")


@needs_bash
def test_units_and_network_files(make_unit: MakeUnit, tmp_path: Path, desk: Path, call: Call) -> None:
    script = call("completion", "bash").text
    make_unit("desk/alice")
    (desk / "office.ndksnet").touch()
    (desk / "offer.ndkspackage").touch()
    (desk / "letter.txt").touch()
    assert "emulator:alice" in completed(script, desk, "key", "--unit", "")
    with emulated(tmp_path / "bob") as bob:
        assert bob.port in completed(script, desk, "key", "--unit", "/dev/")
    assert completed(script, desk, "provision", "off") == {"office.ndksnet", "offer.ndkspackage"}
    assert completed(script, desk, "network", "show", "off") == {"office.ndksnet"}
    assert "letter.txt" not in completed(script, desk, "provision", "")


@needs_bash
def test_one_line_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    script = call("completion", "bash").text
    finished = call("completion", "bash", "--install")
    path = tmp_path / "data" / "bash-completion" / "completions" / "ndks"
    assert finished.status == 0
    assert finished.text.startswith(f"{path} written")
    assert path.read_text() == script.rstrip("\n") or path.read_text() == script
    assert call("completion", "bash", "--install").status == 0, "it may be repeated"


def test_where_it_cannot_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    assert_refused(call("completion", "bash", "--install"), "FILE", 1)
    assert_refused(call("completion", "tcsh", "--install"), "USAGE", 2)
    assert_refused(call("completion"), "USAGE", 2)
