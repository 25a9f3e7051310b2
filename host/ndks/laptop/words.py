# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A secret of 32 bytes as 24 English words (BIP-39), to be written on paper and typed in again."""

import difflib
import functools

from mnemonic import Mnemonic

from ..exceptions import UsageError

CODE_BYTES = 32
WORDS = 24
_QUOTED = 12  # characters of an unknown word; those of the list have 8 at most


def to_words(code: bytes) -> str:
    if len(code) != CODE_BYTES:
        raise ValueError(f"a code has {CODE_BYTES} bytes, not {len(code)}")
    return _english().to_mnemonic(code)


def from_words(text: str) -> bytes:
    """Return the code. Case and white space do not matter, and of a word its beginning is enough: four letters at most.

    UsageError for anything else; no message has more of the text, which is a secret, than one word of it.
    """
    typed = text.lower().split()
    if len(typed) != WORDS:
        raise UsageError(f"a code has {WORDS} words, not {len(typed)}", "give all words, in their order")
    words = [_word(position, word) for position, word in enumerate(typed, 1)]
    try:
        return bytes(_english().to_entropy(words))
    except (ValueError, LookupError):
        message = "these words make no code: one of them is another, or their order is"
        raise UsageError(message, "compare all of them with what you wrote down") from None


def _word(position: int, typed: str) -> str:
    known = _english().wordlist
    word = _english().expand_word(typed)
    if word not in known:
        part = typed[:_QUOTED]
        nearest = difflib.get_close_matches(part, known, n=1, cutoff=0)[0]
        message = f"word {position}, {part!a}, is not in the list"
        raise UsageError(message, f"look at what you wrote down: is it {nearest}?")
    return word


@functools.cache
def _english() -> Mnemonic:
    return Mnemonic("english")
