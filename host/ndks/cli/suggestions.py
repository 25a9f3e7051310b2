# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Suggestions for words that are mistyped, and explanations of words that look like options."""

import difflib
from collections.abc import Iterable
from pathlib import Path

_MOST = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean A or B?" for a word that is close to known ones, else ""."""
    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, _MOST)
    return f"did you mean {' or '.join(by_lower_case[name] for name in close)}?" if close else ""


def explain_unknown(words: list[str], options: Iterable[str]) -> str:
    """Return what is wrong with the first of these unknown words."""
    word = words[0]
    if not word.startswith("-"):
        return f"unexpected argument {word!r}"
    if Path(word).is_file():
        return f"{word} looks like an option; for the file of this name, write ./{word}"
    name = word.partition("=")[0]
    return " ".join(filter(None, [f"there is no option {name};", did_you_mean(name, options)])).removesuffix(";")
