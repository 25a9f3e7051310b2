# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Forged capsules: bit flips, truncation, reordering and splicing."""

from collections.abc import Iterable, Iterator

from .trial import ActiveAdversary, Trial

_KNOWN = b"PAY 0100 TO BOB. "
_DIGIT = 4  # position of the amount in that text
_CHANGE = ord("0") ^ ord("9")
_WAYS = (("vernam", "b"), ("vernam", "a"), ("aes", "b"), ("aes", "a"))  # cipher, and the mode of both ends
_THOROUGH = (("vernam", "b"), ("aes", "a"))  # all bits of header and tag are flipped, for the unit and for the host
_FLIPS = 16  # random flips in each region


class BitFlips(ActiveAdversary):
    """Flips bits of a digit at a known position, all bits of header and tag, and random bits of the text."""

    def act(self, trial: Trial) -> None:
        layout = trial.system.layout
        text = _KNOWN.ljust(64, b".")
        for cipher, mode in _WAYS:
            capsule = trial.seal(text, cipher=cipher, mode=mode)
            amount = layout.text + _DIGIT
            taken = trial.forged("bit flip", _changed(capsule, amount, _CHANGE), text, mode=mode, width=8)
            end = len(capsule) - layout.tag
            count = None if (cipher, mode) in _THOROUGH else _FLIPS
            header, tag = (_bits_of(trial, each, count) for each in (range(layout.header), range(end, len(capsule))))
            for position, bit in (*header, *_bits_of(trial, range(layout.text, end), _FLIPS), *tag):
                if taken:  # the unit may have accepted the number of the capsule
                    capsule = trial.seal(text, cipher=cipher, mode=mode)
                altered = _changed(capsule, position, bit)
                taken = trial.forged(f"bit flip at byte {position}", altered, text, mode=mode)
            if not trial.breaks:
                trial.deliver(capsule, text, mode=mode)


class Truncation(ActiveAdversary):
    """Truncates capsules at and within the bounds of their parts, and lengthens one."""

    def act(self, trial: Trial) -> None:
        layout = trial.system.layout
        text = _long_text(trial, chunks=2)
        for mode in ("b", "a"):
            capsule = trial.seal(text, mode=mode)
            second = layout.first_chunk + layout.chunk
            bounds = {0, layout.header, second, second + layout.chunk, len(capsule) - layout.tag}
            within = {layout.header // 2, layout.text + 1, second - 1, second + 1, second + layout.chunk // 2}
            cuts = sorted(cut for cut in bounds | within | {len(capsule) - 1} if cut < len(capsule))
            for cut in cuts:
                if trial.forged(f"cut off after {cut} of {len(capsule)} bytes", capsule[:cut], text, mode=mode):
                    capsule = trial.seal(text, mode=mode)
            if trial.forged("made longer by 16 zeros", capsule + bytes(16), text, mode=mode):
                continue
            if not trial.breaks:
                trial.deliver(capsule, text, mode=mode)


class Reordering(ActiveAdversary):
    """Reorders, drops and repeats the chunks of a capsule.

    Whole capsules may arrive in any order, and must then be accepted.
    """

    def act(self, trial: Trial) -> None:
        text = _long_text(trial, chunks=3)
        for mode in ("b", "a"):
            capsule = trial.seal(text, mode=mode)
            for order in ((1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2), (0, 2, 3), (0, 1, 1, 2, 3), (1, 2, 3)):
                head, chunks = _parts(trial, capsule)
                chosen = [chunks[i] for i in order if i < len(chunks)]
                if trial.forged(f"chunks in the order {order}", head + b"".join(chosen), text, mode=mode):
                    capsule = trial.seal(text, mode=mode)
            if not trial.breaks:
                later = trial.seal(_KNOWN, mode=mode)
                trial.deliver(later, _KNOWN, mode=mode)
                trial.deliver(capsule, text, mode=mode)


class Splicing(ActiveAdversary):
    """Combines the parts of two capsules."""

    def act(self, trial: Trial) -> None:
        first_text, second_text = _long_text(trial, chunks=2), _long_text(trial, chunks=2)
        for cipher, mode in _WAYS:
            first, second = (trial.seal(text, cipher=cipher, mode=mode) for text in (first_text, second_text))
            for what, spliced in _spliced(trial, first, second):
                trial.forged(what, spliced, first_text, mode=mode)
            if not trial.breaks:
                trial.deliver(second, second_text, mode=mode)
                trial.deliver(first, first_text, mode=mode)


def _spliced(trial: Trial, first: bytes, second: bytes) -> Iterator[tuple[str, bytes]]:
    header = trial.system.layout.header
    (head, chunks), (_, others) = _parts(trial, first), _parts(trial, second)
    yield "chunk of another capsule", head + chunks[0] + others[1] + b"".join(chunks[2:])
    yield "first chunk of another capsule", head + others[0] + b"".join(chunks[1:])
    yield "end of another capsule", head + b"".join(chunks[:-1]) + others[-1]
    yield "header of another capsule", second[:header] + first[header:]


def _parts(trial: Trial, capsule: bytes) -> tuple[bytes, list[bytes]]:
    """Return the part before the chunks, and the chunks."""
    start, size = trial.system.layout.first_chunk, trial.system.layout.chunk
    return capsule[:start], [capsule[at : at + size] for at in range(start, len(capsule), size)]


def _bits_of(trial: Trial, region: Iterable[int], count: int | None) -> list[tuple[int, int]]:
    """Return position and value of `count` bits of a region (None: all) in random order."""
    bits = [(position, 1 << bit) for position in region for bit in range(8)]
    return [bits[number] for number in trial.random.permutation(len(bits))[:count].tolist()]


def _changed(capsule: bytes, position: int, bits: int) -> bytes:
    return capsule[:position] + bytes([capsule[position] ^ bits]) + capsule[position + 1 :]


def _long_text(trial: Trial, *, chunks: int) -> bytes:
    """Return a random text of `chunks` whole chunks and a part of another."""
    letters = trial.random.integers(ord("A"), ord("Z") + 1, 1024 * chunks + 200, dtype="u1")
    return letters.tobytes()
