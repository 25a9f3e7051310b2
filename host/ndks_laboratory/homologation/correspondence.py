# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Letters of Alice and Bob for the second stage: English in ASCII, of various lengths."""

import random

from ndks_laboratory.stages.letters import FROM_CAGE, Letter
from ndks_laboratory.stages.sides import NAMES

_THERE, _BACK = (NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])
BATCHES = (_THERE, _BACK, _THERE, _BACK)  # sender and receiver, who swap roles
LEAST = 4 * len(BATCHES)  # letters: each batch then has all kinds that the requirements need
REPEATED_SYMBOL = "A"

_REPETITIONS = 3000
_MANY_REPETITIONS = 1 << 16  # once in each direction, to reveal patterns within a message
_SENTENCES = (
    "The meeting is moved to Thursday at nine in the morning.",
    "Please send the remaining documents to the office in town.",
    "We have received the shipment and checked every box of it.",
    "The account was closed yesterday and the money transferred.",
    "Nobody outside of this room should hear about the offer.",
    "The train leaves at seven, and I will wait at the station.",
    "All instruments were calibrated again after the storm.",
    "They agreed to the price, but they want to pay in March.",
    "The results of the second test are better than the first.",
    "I have changed the lock of the store, the key is with Anna.",
    "Our lawyer thinks that the contract should be signed soon.",
    "There will be two engineers on the site until the weekend.",
    "The pump has to be replaced before the winter comes.",
    "Do not call me at work, they listen to the telephone there.",
    "Let us meet at the usual place, half an hour after sunset.",
    "The samples are in the cold room, on the left hand side.",
)
_SHORT = ("Pay 0100 to Bob.", "Sell at ninety five.", "Attack is at dawn tomorrow.", "The answer is yes.")


def letters(count: int, seed: int) -> tuple[Letter, ...]:
    """Return the letter from the cage and at least LEAST others, in the order of sending."""
    draw = random.Random(seed)  # noqa: S311 no secret: the laboratory's texts
    count = max(count, LEAST)
    sizes = [count // len(BATCHES) + (i < count % len(BATCHES)) for i in range(len(BATCHES))]
    places = [(batch, place) for batch, size in enumerate(sizes) for place in range(size)]
    others = (_letter(number, *at, draw) for number, at in enumerate(places, start=1))
    from_cage = Letter(FROM_CAGE, 0, BATCHES[0], "vernam", "bb", _english(8, draw))
    return (from_cage, *others)


def is_one_symbol(letter: Letter) -> bool:
    """Return whether a letter repeats a single symbol."""
    return len(set(letter.text)) == 1


def _letter(number: int, batch: int, place: int, draw: random.Random) -> Letter:
    """Return a letter of a batch: first one symbol, then the same short text in all batches, then English."""
    if place == 0:
        text = REPEATED_SYMBOL.encode() * (_MANY_REPETITIONS if batch < 2 else _REPETITIONS)
    elif place == 1:
        text = _SHORT[0].encode()
    else:
        text = _SHORT[place % len(_SHORT)].encode() if place % 3 == 0 else _english(draw.randint(1, 8), draw)
    cipher = "aes" if place % 4 == 3 else "vernam"
    modes = "ab"[(place + batch) % 2] + "ab"[place // 2 % 2]
    return Letter(number, batch, BATCHES[batch], cipher, modes, text)


def _english(sentences: int, draw: random.Random) -> bytes:
    return " ".join(draw.sample(_SENTENCES, sentences)).encode()
