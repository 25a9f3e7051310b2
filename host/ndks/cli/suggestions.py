# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Suggestions for words that are mistyped, and explanations of words that look like options."""

import difflib
import itertools
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

_CLOSE = 0.6  # the least likeness of a suggestion, of 1
_NEARLY = 0.1  # how much less like the word another suggestion may be than the best
_SHORTEST = 2  # letters of a name that is suggested: a single one is like too many words


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean A or B?" for a word that is close to known ones, the closest first, else ""."""
    likeness = {name: _likeness(_letters(word), _letters(name)) for name in known if len(_letters(name)) >= _SHORTEST}
    best = max(likeness.values(), default=0)
    close = [name for name, value in likeness.items() if value >= max(_CLOSE, best - _NEARLY)]
    close.sort(key=lambda name: -likeness[name])
    return f"did you mean {' or '.join(close)}?" if close else ""


def explain_unknown(words: list[str], options: Collection[str]) -> str:
    """Return what is wrong with the first of these unknown words."""
    word = words[0]
    if not word.startswith("-"):
        return "; ".join(filter(None, [f"unexpected argument {word!r}", _option_for(word, options)]))
    name = word.partition("=")[0]
    if name in options:
        return f"after --, every word is a file: put {name} before --"
    if Path(word).is_file():
        return f"{word} looks like an option; for the file of this name, write ./{word}"
    return "; ".join(filter(None, [f"there is no option {name}", did_you_mean(name, options)]))


def value_like_option(words: Sequence[str], options: Collection[str]) -> str:
    """Return how to write a value such as -out.ndks, which was taken for an option; "" if there is none."""
    for name, value in itertools.pairwise(words):
        if name in options and value.startswith("-") and value not in options:
            how = f"{name}={value}" if name.startswith("--") else f"{name} ./{value}"
            return f"; {value} looks like an option: write {how}"
    return ""


def _option_for(word: str, options: Collection[str]) -> str:
    """Return the option before which a word makes sense."""
    from ndks.line.transport import EMULATOR  # here, because it loads pyserial

    meant = ""
    if "--unit" in options and (word.startswith(EMULATOR) or Path(word, "nvm.bin").is_file()):
        meant = f"--unit {EMULATOR}{word.removeprefix(EMULATOR)}"
    elif "--index" in options and word.isdecimal():
        meant = f"--index {word}"
    elif "-o" in options and Path(word).suffix:
        meant = f"-o {word}"
    return f"did you mean {meant}?" if meant else ""


def _letters(name: str) -> str:
    return name.lstrip("-").lower()


def _likeness(word: str, name: str) -> float:
    """Return how like two words are, from 0 to 1; the beginning of a name is close to it."""
    ratio = difflib.SequenceMatcher(None, word, name).ratio()
    return max(ratio, _CLOSE) if len(word) > _SHORTEST and name.startswith(word) else ratio
