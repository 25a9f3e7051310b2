# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The table of the paper's demands names existing files; its figures of flash wear equal the counted ones."""

import re
from pathlib import Path

import pytest
from benchmarks import flash_wear
from paper_table import PAGE, complaints

TEXT = PAGE.read_text(encoding="utf-8")


def test_all_that_the_page_names_exists() -> None:
    assert complaints(TEXT) == []


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("`ndks keys`", "ndks keys"),
        ("`ndks key --bytes 7`", "ndks key --bytes 7"),
        ("`ndks generate --f1 tangent`", "ndks generate --f1 tangent"),
        ("`make coffee`", "make coffee"),
        ("R7, R37", "R37"),
        ("R22 to R38", "R37"),
        ("`tests/host/test_nothing.py`", "tests/host/test_nothing.py"),
        ("`tests/host/test_key.py::test_of_nothing`", "tests/host/test_key.py::test_of_nothing"),
        ("`tests/host/test_key.py::test_formats`", "tests/host/test_key.py::test_formats"),
        ("`python tests/nothing.py 7`", "python tests/nothing.py 7"),
    ],
)
def test_what_does_not_exist_is_noticed(shown: str, missing: str) -> None:
    assert f"there is no {missing}" in complaints(f'| "a demand" | {shown} |\n')


@pytest.mark.parametrize("shown", ["by itself", "It is so.", "see above"])
def test_a_demand_that_nothing_answers_is_noticed(shown: str) -> None:
    assert complaints(f'| "a demand" | {shown} |\n') == ['nothing is named for: "a demand"']
    assert complaints(f'| "a demand" | **Not yet**: {shown} |\n') == []


def test_flash_wear_of_the_page(tmp_path: Path) -> None:
    """The operation that causes the most wear; for the others a test would take too long."""
    alice, bob = flash_wear.members(tmp_path)
    with alice.session() as sender, bob.session() as receiver:
        found = flash_wear.measured(
            "decrypt a message", bob, lambda: receiver.unseal(sender.seal(b"Meet me at noon.")), 200
        )
    (row,) = re.findall(r"^decrypt a message +(\d+) +([\d.]+)$", TEXT, re.MULTILINE)
    assert int(row[0]) == pytest.approx(1 / found.erases, rel=0.1)
    assert float(row[1]) == pytest.approx(found.years(flash_wear.MINUTE), rel=0.1)
