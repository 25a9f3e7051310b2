# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks bind --show` and `--forget`: what a laptop knows of itself and of its units."""

import json

import pytest
from host.conftest import Call
from host.laptops import Laptop
from host.running import assert_refused, run_at_terminal

import ndks

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


def test_what_the_laptop_is_known_by(here: Laptop, bound: str) -> None:
    values = here.values("bind", "--show")
    assert values["schema"] == 1
    assert all(len(pair) == 2 for pair in values["characteristics"])
    (unit,) = values["units"]
    assert unit["binding_id"] == here.values("info", "--unit", bound)["hello"]["binding_id"]
    assert unit["differences"] == []
    text = here.run("bind", "--show").text
    assert all(value in text for _, value in values["characteristics"])
    assert f"unit {unit['serial_number']}: unchanged since it was bound" in text


def test_what_has_changed_is_shown(here: Laptop, bound: str) -> None:
    (path,) = (here.home / "units").iterdir()
    values = json.loads(path.read_text())
    values["bindings"][0]["characteristics"] = [["board", "another one"]]
    path.write_text(json.dumps(values))
    assert "board another one is gone" in here.run("bind", "--show").text
    finished = here.run("key", "--unit", bound)
    assert_refused(finished, "LOCKED", 5)
    assert "board another one is gone" in finished.stderr
    info = here.run("info", "--unit", bound)
    assert info.status == 0
    assert "board another one is gone" in info.stderr
    assert json.loads(here.run("info", "--unit", bound, "--json").text)["status"]["state"] == "locked"


def test_showing_on_a_new_laptop(here: Laptop) -> None:
    assert here.values("bind", "--show")["units"] == []
    assert not here.home.exists()


def test_forgetting_a_unit(alice: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    assert_refused(call("bind", "--forget", "0" * 16), "USAGE", 2)
    assert serial_number in call("bind", "--forget", "0" * 16).stderr
    assert_refused(call("bind", "--forget", serial_number), "USAGE", 2)  # nobody can be asked
    declined = run_at_terminal(b"no\n", "bind", "--forget", serial_number)
    assert_refused(declined, "DECLINED", 1)
    assert call("bind", "--forget", serial_number.lower(), "--yes").status == 0
    assert serial_number not in call("bind", "--show").text
    assert_refused(call("key", "--unit", alice), "LOCKED", 5)


def test_showing_one_unit(alice: str, bob: str, call: Call) -> None:
    with ndks.open(alice) as unit:
        serial_number = unit.hello.serial_number
    for name in (alice, serial_number.lower()):
        units = json.loads(call("bind", "--show", "--unit", name, "--json").text)["units"]
        assert [unit["serial_number"] for unit in units] == [serial_number]
