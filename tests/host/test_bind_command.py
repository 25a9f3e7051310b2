# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks provision` and `ndks bind`: the words of the transport code, as people give them."""

import re
from pathlib import Path
from typing import Any

import pytest
from host.laptops import Laptop, words_of
from host.running import assert_refused

import ndks
from ndks.laptop.words import from_words, to_words

pytest.importorskip("termios", reason="this system has no pseudo-terminals")


ID = re.compile(r"\b[0-9a-f]{32}\b")


def test_provisioning_shows_words_and_binds_to_nobody(
    here: Laptop, elsewhere: Laptop, network_file: Path, place: str
) -> None:
    finished = elsewhere.run("provision", network_file, "--unit", place)
    assert len(from_words(words_of(finished))) == 32
    assert finished.stderr == ""
    for laptop in (here, elsewhere):
        assert laptop.state_of(place) == ("locked", False)
        assert_refused(laptop.run("key", "--unit", place), "LOCKED", 5)
        assert not laptop.home.exists()
    assert ndks.Network.load(network_file).members[0].binding_id == "00" * 16


def test_provisioning_shows_words_in_json(elsewhere: Laptop, here: Laptop, network_file: Path, place: str) -> None:
    values = elsewhere.values("provision", network_file, "--unit", place)
    assert here.run_with_input(values["transport_code"], "bind", "--unit", place).status == 0


def test_binding_by_stdin(here: Laptop, elsewhere: Laptop, place: str, words: str) -> None:
    finished = here.run_with_input(f"{words}\n", "bind", "--unit", place)
    assert (finished.status, finished.stderr) == (0, "")
    (binding_id,) = ID.findall(finished.text)
    assert f"ndks trust 1 {binding_id}" in finished.text
    assert here.state_of(place) == ("provisioned", True)
    assert elsewhere.state_of(place) == ("locked", False)
    assert here.values("info", "--unit", place)["hello"]["binding_id"] == binding_id
    assert here.opens(place)


@pytest.mark.parametrize("typed", [str.upper, lambda words: words.replace(" ", "\n"), lambda words: f"  {words} \r\n"])
def test_words_as_people_write_them(here: Laptop, place: str, words: str, typed: Any) -> None:
    assert here.run_with_input(typed(words), "bind", "--unit", place, "--code", "-").status == 0
    assert here.opens(place)


def test_binding_by_file(here: Laptop, place: str, words: str, tmp_path: Path) -> None:
    code = tmp_path / "code.txt"
    code.write_text(f"{words}\n")
    values = here.values("bind", "--code", code, "--unit", place)
    assert (values["schema"], values["lane"], values["with_network"]) == (1, 1, False)
    assert set(values) == {"schema", "serial_number", "lane", "binding_id", "characteristics", "with_network"}
    assert here.opens(place)


def test_binding_at_a_terminal(here: Laptop, place: str, words: str) -> None:
    finished = here.run_at_terminal(f"{words}\n", "bind", "--unit", place)
    assert finished.status == 0, finished.stderr
    assert "24 words" in finished.stderr
    assert here.opens(place)


@pytest.mark.parametrize("lines", [2, 4, 24])
def test_words_on_several_lines_at_a_terminal(here: Laptop, place: str, words: str, lines: int) -> None:
    """The words have the line breaks of the printed code; no rest of the input reaches the shell."""
    each = 24 // lines
    typed = "".join(" ".join(words.split()[start : start + each]) + "\n" for start in range(0, 24, each))
    finished = here.run_at_terminal(typed, "bind", "--unit", place)
    assert finished.status == 0, finished.stderr
    assert here.opens(place)


def test_missing_file(here: Laptop, place: str, words: str, tmp_path: Path) -> None:
    assert_refused(here.run("bind", "--code", tmp_path / "none", "--unit", place), "FILE", 1)


NO_CODES = {
    "nothing": "",
    "too few": "zoo " * 23,
    "too many": "zoo " * 25,
    "no word": "zzzz " * 24,
    "checksum": "zoo " * 24,
    "binary": "\0\1\2",
}


@pytest.mark.parametrize("kind", NO_CODES)
def test_words_that_are_none(here: Laptop, elsewhere: Laptop, place: str, words: str, kind: str) -> None:
    assert_refused(here.run_with_input(NO_CODES[kind], "bind", "--unit", place), "USAGE", 2)
    assert elsewhere.wrong_attempts(place) == 0
    assert here.run_with_input(words, "bind", "--unit", place).status == 0


def test_words_of_another_unit(here: Laptop, elsewhere: Laptop, place: str, words: str, network_file: Path) -> None:
    other = words_of(elsewhere.run("provision", network_file, "--unit", f"{place}2"))
    for _ in range(3):
        finished = here.run_with_input(other, "bind", "--unit", place)
        assert_refused(finished, "LOCKED", 5)
        assert "words" in finished.stderr  # the message blames the words, not the unit
    assert elsewhere.wrong_attempts(place) == 0
    assert here.run_with_input(words, "bind", "--unit", place).status == 0


def test_words_that_were_used(here: Laptop, elsewhere: Laptop, place: str, words: str) -> None:
    assert here.run_with_input(words, "bind", "--unit", place).status == 0
    assert_refused(elsewhere.run_with_input(words, "bind", "--unit", place), "LOCKED", 5)
    assert here.opens(place)


def test_binding_a_unit_that_is_bound_here_asks_for_nothing(here: Laptop, bound: str) -> None:
    before = here.values("info", "--unit", bound)
    values = here.values("bind", "--unit", bound)
    assert values["binding_id"] == before["hello"]["binding_id"]
    assert here.opens(bound)


def test_binding_a_blank_unit(here: Laptop, place: str) -> None:
    ndks.open(place, create=True).close()
    finished = here.run_with_input(to_words(bytes(32)), "bind", "--unit", place)
    assert_refused(finished, "BLANK", 4)
    assert "ndks provision" in finished.advice


def test_a_bound_unit_is_not_provisioned_again(here: Laptop, elsewhere: Laptop, bound: str, network_file: Path) -> None:
    for laptop in (here, elsewhere):
        refused = laptop.run("provision", network_file, "--unit", bound)
        assert_refused(refused, "PROVISIONED", 4)
        assert "ndks zeroize" in refused.advice
    assert ndks.Network.load(network_file).next_lane == 2
