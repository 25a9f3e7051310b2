# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks zeroize`: it asks first, and works at any laptop."""

from pathlib import Path

import pytest
from host.laptops import Laptop
from host.running import assert_refused

import ndks

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


def test_zeroizing_asks(here: Laptop, bound: str) -> None:
    serial_number = here.values("info", "--unit", bound)["hello"]["serial_number"]
    finished = here.run("zeroize", "--unit", bound)
    assert_refused(finished, "USAGE", 2)
    assert "--yes" in finished.advice
    for answer in ("no\n", "\n", "y\n", "yes please\n"):
        refused = here.run_at_terminal(answer, "zeroize", "--unit", bound)
        assert_refused(refused, "DECLINED", 1)
        assert serial_number in refused.stderr
        assert "nothing was changed" in refused.stderr
    assert here.run_with_input("yes\n", "zeroize", "--unit", bound).status == 2  # nobody is there
    assert here.opens(bound)
    finished = here.run_at_terminal("yes\n", "zeroize", "--unit", bound)
    assert finished.status == 0, finished.stderr
    assert here.state_of(bound) == ("blank", False)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_zeroizing_at_any_laptop(
    here: Laptop, elsewhere: Laptop, bound: str, network_file: Path, where: str, tmp_path: Path
) -> None:
    secret = ndks.Network.load(network_file).secret
    laptop = {"here": here, "elsewhere": elsewhere}[where]
    values = laptop.values("zeroize", "--yes", "--unit", bound)
    assert set(values) == {"schema", "serial_number", "state"}
    assert values["state"] == "blank"
    assert here.state_of(bound) == ("blank", False)
    assert_refused(here.run("key", "--unit", bound), "BLANK", 4)
    for path in (tmp_path / "unit").iterdir():
        assert secret not in path.read_bytes()
    assert [path.stem for path in (here.home / "units").iterdir()] == (
        [] if where == "here" else [values["serial_number"]]
    )
    again = here.values("provision", network_file, "--bind", "--unit", bound)
    assert (again["lane"], again["serial_number"]) == (2, values["serial_number"])
    assert here.opens(bound)
    assert [(member.lane, member.serial_number) for member in ndks.Network.load(network_file).members] == [
        (2, values["serial_number"])
    ]


def test_zeroizing_a_blank_unit(here: Laptop, place: str) -> None:
    ndks.open(place, create=True).close()
    assert here.run("zeroize", "--yes", "--unit", place).status == 0
    assert here.state_of(place) == ("blank", False)


def test_zeroizing_makes_no_unit(here: Laptop, place: str, tmp_path: Path) -> None:
    assert_refused(here.run("zeroize", "--yes", "--unit", place), "NO_UNIT", 3)
    assert not (tmp_path / "unit").exists()
