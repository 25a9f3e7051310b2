# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Replayed and reflected capsules, and repeated message numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ndks_laboratory.homologation.system import ALICE, BOB, CLOSE, EJECT, PULL, REPLUGGINGS, CapsuleLayout, Refusal

from .trial import ActiveAdversary, Trial, Unusable, shown

_BLOCK = 66  # messages in one session: more than the block of 64 numbers that a unit reserves
_LONG = 1 << 16  # bytes of a long message; a board needs 10 s for it
_PIECE = 16  # bytes of keystream: two pieces of a long message are equal by chance once in 2^105


class Replay(ActiveAdversary):
    """Replays accepted capsules: at once, after others, and after the units were plugged in again."""

    withstood = "none of {tries} replays was accepted: {refused}"

    def act(self, trial: Trial) -> None:
        texts = [f"PAY 0100 TO BOB, ORDER {number}".encode() for number in range(6)]
        capsules = [trial.seal(text, cipher=("vernam", "aes")[number % 2]) for number, text in enumerate(texts)]
        for number in (0, 2, 1, 3, 5, 4):  # capsules may arrive in any order, once each
            trial.deliver(capsules[number], texts[number], mode="ba"[number % 2])
            self._again(trial, [capsules[number]], "twice")
        self._again(trial, capsules, "again after others")
        for how in REPLUGGINGS:
            trial.system.replug(how)
            self._again(trial, capsules, "again after replugging")

    def _again(self, trial: Trial, capsules: Sequence[bytes], when: str) -> None:
        for capsule in capsules:
            for mode in ("b", "a"):
                text = trial.unsealed(capsule, mode=mode)
                if text is not None:
                    trial.breaks.append(f"replay: {shown(text)} came {when}")


class Reflection(ActiveAdversary):
    """Sends capsules back to their sender."""

    withstood = "none of {tries} reflected capsules was accepted: {refused}"

    def act(self, trial: Trial) -> None:
        for owner, other in ((ALICE, BOB), (BOB, ALICE)):
            for mode in ("b", "a"):
                text = f"THIS IS FROM {owner.upper()}".encode()
                capsule = trial.seal(text, by=owner, mode=mode)
                came_out = trial.unsealed(capsule, at=owner, mode=mode)
                if came_out is not None:
                    trial.breaks.append(
                        f"reflection: {owner} accepted from {other} what {owner} has sent: {shown(text)}"
                    )


@dataclass(frozen=True)
class _Sealed:
    capsule: bytes
    text: bytes
    cipher: str
    number: int


class RepeatedNumbers(ActiveAdversary):
    """Searches for two messages with the same number, header or keystream, also after units were plugged in again."""

    withstood = "in {tries} messages no number, header, keystream or part of a long keystream was repeated"

    def act(self, trial: Trial) -> None:
        sealed: list[_Sealed] = []
        for how in (CLOSE, EJECT, PULL):
            for cipher, mode in (("vernam", "b"), ("vernam", "a"), ("aes", "b"), ("aes", "a")):
                sealed.append(self._seal(trial, len(sealed), cipher, mode))
            trial.system.replug(how)
        sealed += [self._seal(trial, len(sealed) + number, "vernam", "b") for number in range(_BLOCK)]
        self._compare(trial, sealed)
        self._look_inside(trial)
        if not trial.breaks:
            trial.deliver(sealed[-1].capsule, sealed[-1].text)

    def _seal(self, trial: Trial, number: int, cipher: str, mode: str) -> _Sealed:
        text = f"MESSAGE {number:04d} TO BOB: THE WEATHER".encode()
        capsule = trial.seal(text, cipher=cipher, mode=mode)
        trial.tries += 1
        try:
            return _Sealed(capsule, text, cipher, trial.system.number(capsule))
        except Refusal as refusal:
            raise Unusable(f"an honest message is refused: {refusal.code}") from None

    def _compare(self, trial: Trial, sealed: Sequence[_Sealed]) -> None:
        """Report all pairs of messages with something in common, the worst first."""
        layout = trial.system.layout
        found: list[list[str]] = [[], [], []]
        for one, other in combinations(sealed, 2):
            ciphertexts = [each.capsule[layout.text : layout.text + len(each.text)] for each in (one, other)]
            if one.cipher == other.cipher and _xor(*ciphertexts) == _xor(one.text, other.text):
                read = _xor(_xor(*ciphertexts), one.text)
                found[0].append(f"two messages have the same keystream: anyone who knows the first reads {shown(read)}")
            if one.capsule[: layout.header] == other.capsule[: layout.header]:
                found[1].append("two messages have the same header")
            if one.number == other.number:
                found[2].append(f"number {one.number} was given to two messages")
        trial.breaks += [text for texts in found for text in texts]

    def _look_inside(self, trial: Trial) -> None:
        """Report repeated bytes in a long message of one symbol: they show that its keystream repeats."""
        capsule = trial.seal(b"A" * _LONG)
        trial.tries += 1
        places: dict[bytes, int] = {}
        body = _without_tags(trial.system.layout, capsule)
        for place in range(0, len(body) - _PIECE + 1, _PIECE):
            first = places.setdefault(body[place : place + _PIECE], place)
            if first != place:
                trial.breaks.append(
                    f"in one message of {_LONG} bytes the keystream repeats after {place - first} bytes"
                )
                return


def _without_tags(layout: CapsuleLayout, capsule: bytes) -> bytes:
    """Return the ciphertext of all chunks."""
    chunks = (capsule[at : at + layout.chunk] for at in range(layout.first_chunk, len(capsule), layout.chunk))
    return b"".join(chunk[: len(chunk) - layout.tag] for chunk in chunks)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
