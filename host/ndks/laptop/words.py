# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Codes of 32 bytes as 24 English words (BIP-39), for paper."""

from ..exceptions import UsageError
from ..word_list import english, known_word

CODE_BYTES = 32
WORDS = 24


def to_words(code: bytes) -> str:
    if len(code) != CODE_BYTES:
        raise ValueError(f"a code has {CODE_BYTES} bytes, not {len(code)}")
    return english().to_mnemonic(code)


def from_words(text: str) -> bytes:
    """Return the code of 24 words. Case and white space do not matter; the first four letters of a word suffice.

    UsageError for any other text. The text is a secret: a message quotes at most one word of it.
    """
    typed = text.lower().split()
    if len(typed) != WORDS:
        raise UsageError(f"a code has {WORDS} words, not {len(typed)}", "give all words, in their order")
    words = [known_word(position, word) for position, word in enumerate(typed, 1)]
    try:
        return bytes(english().to_entropy(words))
    except (ValueError, LookupError):
        message = "these words are not a code: a word or the order is wrong"
        raise UsageError(message, "compare them with what you wrote down") from None
