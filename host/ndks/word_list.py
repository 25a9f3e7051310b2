# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The English word list of BIP-39, and six words of a file's SHA-256, to compare two copies of it by voice."""

import difflib
import functools
from hashlib import sha256

from mnemonic import Mnemonic

from .exceptions import UsageError, WordsDiffer

SPOKEN = 6  # words: 66 bits, of a file that nobody could choose together with its words
_BITS = 11  # of a word
_QUOTED = 12  # characters quoted of an unknown word; words of the list have at most 8


@functools.cache
def english() -> Mnemonic:
    return Mnemonic("english")


def known_word(position: int, typed: str) -> str:
    """Return the word that begins with what was typed. UsageError: there is none."""
    known = english().wordlist
    word = english().expand_word(typed)
    if word not in known:
        part = typed[:_QUOTED]
        nearest = difflib.get_close_matches(part, known, n=1, cutoff=0)[0]
        message = f"word {position}, {part!a}, is not in the list"
        raise UsageError(message, f"check what you wrote down: is it {nearest}?")
    return word


def spoken_words(content: bytes) -> str:
    """Return the words of the first 66 bits of the SHA-256 of a file's content."""
    number = int.from_bytes(sha256(content).digest())
    places = (256 - _BITS * count for count in range(1, SPOKEN + 1))
    return " ".join(english().wordlist[number >> place & (1 << _BITS) - 1] for place in places)


def check_spoken_words(content: bytes, heard: str, what: str) -> None:
    """Compare the words that were heard with those of a file. UsageError: they are not six words; WordsDiffer.

    Case does not matter; the first four letters of a word suffice. `what` names the file in messages.
    """
    typed = heard.lower().split()
    if len(typed) != SPOKEN:
        raise UsageError(f"{what} has {SPOKEN} words, not {len(typed)}", "ask for all of them by voice, in their order")
    given = [known_word(position, word) for position, word in enumerate(typed, 1)]
    pairs = zip(spoken_words(content).split(), given, strict=True)
    differing = [str(position) for position, (own, other) in enumerate(pairs, 1) if own != other]
    if differing:
        raise WordsDiffer(f"the words of {what} are others, at place {', '.join(differing)} of {SPOKEN}")
