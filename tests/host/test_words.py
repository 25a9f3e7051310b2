# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A secret as 24 words: correct words decode, errors are detected, and no message reveals the secret."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from ndks.exceptions import UsageError
from ndks.laptop.words import from_words, to_words

# Vectors of BIP-39: github.com/trezor/python-mnemonic, vectors.json
VECTORS = {
    "00" * 32: "abandon " * 23 + "art",
    "7f" * 32: "legal winner thank year wave sausage worth useful " * 2
    + "legal winner thank year wave sausage worth title",
    "80" * 32: "letter advice cage absurd amount doctor acoustic avoid " * 2
    + "letter advice cage absurd amount doctor acoustic bless",
    "ff" * 32: "zoo " * 23 + "vote",
    "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c": "hamster diagram private dutch cause "
    "delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug "
    "inflict delay length",
}
CODE = hashlib.sha256(b"a code").digest()
WORDS = to_words(CODE).split()
Code = st.binary(min_size=32, max_size=32)


def refusal(text: str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        from_words(text)
    assert raised.value.code == "USAGE"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value


def told(error: UsageError) -> set[str]:
    return set(f"{error} {error.advice}".replace(",", " ").replace("?", " ").replace("'", " ").split())


@pytest.mark.parametrize(("code", "text"), VECTORS.items())
def test_official_vectors(code: str, text: str) -> None:
    assert to_words(bytes.fromhex(code)) == text
    assert from_words(text) == bytes.fromhex(code)


@given(Code)
def test_round_trip(code: bytes) -> None:
    assert from_words(to_words(code)) == code


@given(Code, st.randoms(use_true_random=False))
def test_case_white_space_and_ends_of_words_do_not_matter(code: bytes, chance: random.Random) -> None:
    text = ""
    for word in to_words(code).split():
        part = word[: chance.randint(4, 8)]
        text += chance.choice([part, part.upper(), part.title()]) + chance.choice([" ", "\n", "\t ", "\r\n", "\u3000"])
    assert from_words(f" {text}") == code


def test_three_letter_words_are_words_and_no_prefixes() -> None:
    """act is also a prefix of action, actor, actress and actual."""
    code = next(
        code
        for code in (hashlib.sha256(bytes([n])).digest() for n in range(256))
        if {"act", "add", "art", "can", "car"} & set(to_words(code).split())
    )
    assert from_words(to_words(code)) == code


def test_of_all_words_in_the_last_place_one_of_256_fits() -> None:
    """The last word has 3 bits of the code and the 8 bits of the checksum."""

    def fits(last: str) -> bool:
        try:
            return bool(from_words(" ".join([*WORDS[:-1], last])))
        except UsageError:
            return False

    assert sum(fits(last) for last in Mnemonic("english").wordlist) == 8


@pytest.mark.parametrize("words", [[], WORDS[:12], WORDS[:-1], [*WORDS, "zoo"], ["-".join(WORDS)]])
def test_wrong_number_of_words(words: list[str]) -> None:
    error = refusal(" ".join(words))
    assert str(error) == f"a code has 24 words, not {len(words)}"
    assert not told(error) & set(WORDS)


@pytest.mark.parametrize(
    ("typed", "nearest"), [("abandun", "abandon"), ("zooo", "zoo"), ("hampster", "hamster"), ("abs", "abuse")]
)
def test_unknown_word(typed: str, nearest: str) -> None:
    error = refusal(" ".join([*WORDS[:6], typed.upper(), *WORDS[7:]]))
    assert str(error) == f"word 7, '{typed}', is not in the list"
    assert error.advice == f"check what you wrote down: is it {nearest}?"
    assert not told(error) & set(WORDS)


@pytest.mark.parametrize("typed", ["\x1b[31m", "é", "\udcff", "?" * 1_000_000, "1"])
def test_what_is_no_word_at_all(typed: str) -> None:
    error = refusal(" ".join([typed, *WORDS[1:]]))
    assert str(error).startswith("word 1, '")
    assert str(error).isascii()
    assert str(error).isprintable()
    assert len(str(error)) < 120
    assert not told(error) & set(WORDS)


def test_the_rest_of_a_code_without_spaces_is_not_told() -> None:
    error = refusal(" ".join(["-".join(WORDS), *["zoo"] * 23]))
    assert WORDS[2] not in str(error)


def test_bad_checksum() -> None:
    words = ["abandon"] * 24
    error = refusal(" ".join(words))
    assert str(error) == "these words are not a code: a word or the order is wrong"
    assert not told(error) & set(words)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_only_codes_become_words(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        to_words(bytes(size))
