# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The program as users start it, on a unit that runs in a process of its own."""

import subprocess
import sys

import pytest
from stamps import main

from ndks_pytest import PortInTest


def stamp(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "stamps.py", *words], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("ndks_port")  # NDKS_UNIT and NDKS_HOME lead to it
def test_program_finds_the_unit() -> None:
    assert stamp("text").stdout.startswith("1 ")
    assert stamp("text").stdout.startswith("2 ")


def test_program_without_its_unit_says_so(ndks_port: PortInTest) -> None:
    ndks_port.unplug()
    done = stamp("text")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"stamps: there is no port {ndks_port}")
    ndks_port.plug_in()
    assert stamp("text").returncode == 0


def test_case_that_is_opened_meanwhile(ndks_port: PortInTest, capsys: pytest.CaptureFixture[str]) -> None:
    ndks_port.open_case()
    assert main("text") == 1
    assert "case" in capsys.readouterr().err


def test_power_that_fails_while_the_unit_writes(ndks_port: PortInTest, capsys: pytest.CaptureFixture[str]) -> None:
    ndks_port.cut_power(steps=1)
    assert main("text") == 1
    ndks_port.plug_in()
    assert main("text") == 0
    assert capsys.readouterr().out[:2] in ("1 ", "2 ")
