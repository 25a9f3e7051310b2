# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The letters cover all cases in the requirements."""

from collections import Counter

import pytest

from ndks_laboratory.homologation.correspondence import BATCHES, LEAST, is_one_symbol, letters


@pytest.mark.parametrize("count", [1, LEAST, 48, 65])
def test_roles_ciphers_modes_and_texts_vary(count: int) -> None:
    found = letters(count, 7)
    assert [letter.number for letter in found] == list(range(max(count, LEAST) + 1))
    assert {(letter.sender, letter.receiver) for letter in found} == {("alice", "bob"), ("bob", "alice")}
    assert [letter.batch for letter in found] == sorted(letter.batch for letter in found)
    assert {letter.batch for letter in found} == set(range(len(BATCHES)))
    assert {(letter.cipher, letter.sealed_in) for letter in found} >= {("vernam", "a"), ("vernam", "b"), ("aes", "b")}
    assert sum(map(is_one_symbol, found)) == len(BATCHES)
    assert Counter(letter.text for letter in found if letter.cipher == "vernam").most_common(1)[0][1] > 1
    assert all(letter.text.isascii() for letter in found)


def test_they_depend_on_the_seed_alone() -> None:
    assert letters(48, 1) == letters(48, 1)
    assert letters(48, 1) != letters(48, 2)
