# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure how often the adversaries of homologation break suite paper, and how long they take; print a Markdown table.

python tests/benchmarks/attacks.py [--trials N] [--digits 3,4,6] [--quick]

Each trial draws p1 below pi and p2 below 1000, with 40 decimals where an attack does not need short ones, and takes
bits of the exact generator. A text counts when it was read to the last byte, a frequency or parameters when the bits
predicted from them are right more often than chance allows (1e-9); a frequency is unique when no other has the known
bits. Reference: an earlier study of the same attacks, on a machine with two cores as well.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.homologation.adversaries.autocorrelation import Autocorrelation
from ndks_laboratory.homologation.adversaries.ciphertext_only import CiphertextOnly
from ndks_laboratory.homologation.adversaries.decimal_grid import DecimalGrid
from ndks_laboratory.homologation.adversaries.float_units import FloatUnits, float_unit_bits
from ndks_laboratory.homologation.adversaries.frequency import Frequency
from ndks_laboratory.homologation.adversaries.key_reuse import KeyReuse
from ndks_laboratory.homologation.adversaries.parameters import Parameters
from ndks_laboratory.homologation.attack import Adversary, Bits, Finding, Intercepted, Seen

SEED = 20261123
SECRET_BITS = 64  # of a capsule's key, before those that encrypt the text
LONG = 64  # times 10^(d/2): bits of a long key
_TEXT = (
    "when the winter came the river froze and nobody could cross it for weeks. We sat in the kitchen, drank tea and "
    "wrote letters that no one would carry. My uncle said that a boat without water is only a box, and went to sleep. "
    "In the spring we found the old bridge again. Tell Maria that her garden is fine, and that the dog has learned to "
    "open the gate by itself. The doctor visits on Fridays, but his bill is higher than last year. If you want to "
    "come, bring warm clothes, good boots, and some of that cheese from the market near the church."
)
_NO_BITS = np.zeros(0, np.uint8)


@dataclass(frozen=True)
class PaperTarget:
    """A network that computes exactly or in single precision. It is also the oracle of the adversaries."""

    p1: str
    p2: str
    digits: int
    is_float: bool = False
    text: bytes = b""

    def bits(self, index: int, first: int, count: int) -> Bits:
        if self.is_float:
            return float_unit_bits(self.p1, self.p2, self.digits, index, count, first)
        pieces = VectorGenerator(self.p1, self.p2, self.digits).key(index).blocks(first, count, 1)
        return np.unpackbits(np.frombuffer(b"".join(pieces), np.uint8))[:count]

    def compare_bits(self, index: int, first: int, bits: Bits) -> int:
        return int(np.count_nonzero(self.bits(index, first, len(bits)) == bits))

    def compare_text(self, number: int, text: bytes) -> bool:
        return text == self.text

    def seen(self, keys: int = 1, bits: int = 1024, long_bits: int = 0) -> Seen:
        """Return what adversaries see: keys, a long key, and the text encrypted under the key of a capsule."""
        rows = np.stack([self.bits(index, 0, bits) for index in range(1, keys + 1)])
        long_key = self.bits(keys + 1, 0, long_bits) if long_bits else _NO_BITS
        messages: tuple[Intercepted, ...] = ()
        if self.text:
            key = self.bits((1 << 48) + 1, SECRET_BITS, 8 * len(self.text))
            encrypted = np.packbits(key ^ np.unpackbits(np.frombuffer(self.text, np.uint8)))
            messages = (Intercepted(1, encrypted.tobytes(), SECRET_BITS),)
        return Seen(self.digits, rows, long_key, messages)


def real(rng: np.random.Generator, digits: int, **more: Any) -> PaperTarget:
    """Draw parameters with 40 decimals."""
    p1, p2 = (f"{rng.integers(1, limit)}.{int(rng.integers(1 << 62)):040d}" for limit in (3, 1000))
    return PaperTarget(f"{rng.uniform(0.01, 3.14):.17f}" + p1[-23:], p2, digits, **more)


def short(rng: np.random.Generator, digits: int, decimals: int, limit: int) -> PaperTarget:
    """Draw parameters as people choose them."""
    return PaperTarget(f"{rng.uniform(0.01, 3.14):.{decimals}f}", str(rng.integers(1, limit + 1)), digits)


def excerpt(rng: np.random.Generator, size: int) -> bytes:
    """Return `size` bytes of English text that start with a whole word."""
    words = _TEXT.split()
    start = int(rng.integers(len(words)))
    return " ".join(words[start:] + words[:start]).encode()[:size]


@dataclass(frozen=True)
class Row:
    attack: str
    given: str
    trials: int
    adversary: Adversary
    draw: Callable[[np.random.Generator], PaperTarget]
    seen: dict[str, int]  # what adversaries see of it
    reference: str = "-"
    is_won: Callable[[Finding], bool] = lambda finding: bool(finding.succeeded)

    def line(self) -> str:
        """Run all trials; return the row of the table."""
        findings = [self._trial(trial) for trial in range(self.trials)]
        won = sum(map(self.is_won, findings))
        seconds = float(np.median([finding.seconds for finding in findings]))
        predicted = [
            100 * finding.details["right_bits"] / finding.details["predicted_bits"]
            for finding in findings
            if finding.details.get("predicted_bits")
        ]
        right = f"{np.median(predicted):.1f} %" if predicted else "-"
        cells = (self.attack, self.given, f"{won} of {self.trials}", right, spoken(seconds), self.reference)
        return f"| {' | '.join(cells)} |"

    def _trial(self, trial: int) -> Finding:
        target = self.draw(np.random.default_rng([SEED, trial]))
        return self.adversary.attack(target.seen(**self.seen), target)


def spoken(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def text_row(d: int, size: int, trials: int, reference: str = "-") -> Row:
    given, draw = f"{size} bytes, d = {d}", lambda rng: real(rng, d, text=excerpt(rng, size))
    return Row("1 ciphertext only", given, trials, CiphertextOnly(), draw, {"bits": 8}, reference)


def frequency_row(d: int, bits: int, trials: int, reference: str = "-") -> Row:
    given, adversary = f"{bits} bits, d = {d}", Frequency(bits, budget=300)
    return Row("2 frequency", given, trials, adversary, lambda rng: real(rng, d), {"bits": bits}, reference)


def unique_row(d: int, bits: int, trials: int, reference: str) -> Row:
    row = frequency_row(d, bits, trials, reference)
    return replace(row, attack="2 frequency is unique", is_won=lambda finding: finding.details.get("frequencies") == 1)


def long_row(d: int, trials: int, reference: str = "-") -> Row:
    count = math.ceil(LONG * 10 ** (d / 2))
    given, seen = f"{count} bits, d = {d}", {"bits": 8, "long_bits": count}
    return Row(
        "3 autocorrelation", given, trials, Autocorrelation(budget=300), lambda rng: real(rng, d), seen, reference
    )


def grid_row(d: int, trials: int, reference: str = "-") -> Row:
    given, draw = f"1024 bits, d = {d}, 3*10^8 pairs", lambda rng: short(rng, d, 5, 1000)
    return Row("4 decimal grid", given, trials, DecimalGrid(budget=300), draw, {"keys": 2}, reference)


def parameters_row(d: int, limit: int, trials: int, reference: str = "-") -> Row:
    given, draw = f"5 keys of 1024 bits, d = {d}, p2 <= {limit}", lambda rng: short(rng, d, 5, limit)
    return Row("5 p1 and p2", given, trials, Parameters(), draw, {"keys": 5}, reference)


def float_row(d: int, trials: int, reference: str = "-") -> Row:
    given, draw = f"1024 bits, d = {d}", lambda rng: replace(short(rng, d, 5, 1000), is_float=True)
    return Row("6 float32 units", given, trials, FloatUnits(), draw, {}, reference)


def reuse_row(d: int, trials: int, reference: str = "-") -> Row:
    given = f"2000 keys of 1024 bits, d = {d}"
    return Row("8 key reuse", given, trials, KeyReuse(), lambda rng: real(rng, d), {"keys": 2000}, reference)


def rows(trials: int) -> Iterator[Row]:
    """Yield all rows; `trials` is the number of trials of the cheap ones."""
    few = max(1, trials // 10)
    yield text_row(3, 16, trials, "90 %, 0.1 s")
    yield text_row(3, 64, trials)
    yield text_row(4, 64, trials)
    yield text_row(6, 64, trials // 2, "100 %, 0.1 s")
    yield unique_row(3, 32, trials, "at 24 to 32 bits, 8 ms")
    yield frequency_row(3, 256, trials, "median above 99 % right, 8 ms")
    yield frequency_row(4, 256, trials, "above 99 %, 40 ms")
    yield unique_row(6, 48, trials // 2, "at 40 to 48 bits, 40 ms")
    yield frequency_row(6, 256, trials // 2, "above 99 %, 40 ms")
    yield frequency_row(6, 768, trials // 2, "nearly always right, 40 ms")
    yield frequency_row(8, 256, max(1, few // 2), "4 s")
    yield frequency_row(9, 256, min(2, few), "40 s")
    yield long_row(3, trials, "below 0.1 s")
    yield long_row(6, trials, "below 0.1 s")
    yield long_row(9, few, "0.6 s")
    yield long_row(12, min(2, few), "21 s")
    yield grid_row(3, few, "12 to 17 s")
    yield grid_row(12, few, "12 to 17 s")
    yield parameters_row(3, 100, trials, "0.05 s")
    yield parameters_row(3, 10**4, trials, "0.4 s")
    yield parameters_row(6, 100, trials // 5)
    yield float_row(3, few, "0.3 to 1.7 s")
    yield float_row(6, few, "0.3 to 1.7 s")
    yield reuse_row(3, few, "6 keys share 64 bits with another")


def warm_up() -> None:
    """Compile the search kernel, or load it from the cache."""
    target = PaperTarget("0.52", "25", 3)
    Frequency().attack(target.seen(), target)
    DecimalGrid(2, 25).attack(target.seen(), target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100, help="of the cheap rows; the others have fewer (100)")
    parser.add_argument("--digits", help="only rows with these d, such as 3,4,6")
    parser.add_argument("--quick", action="store_true", help="10 trials, d up to 6")
    arguments = parser.parse_args()
    trials = 10 if arguments.quick else arguments.trials
    wanted = {int(d) for d in arguments.digits.split(",")} if arguments.digits else set(range(1, 13))
    wanted &= set(range(1, 7)) if arguments.quick else wanted
    warm_up()
    started = time.monotonic()
    print(
        f"Seed {SEED}; trial t draws from numpy.random.default_rng([{SEED}, t]). Times: medians, after compilation.\n"
    )
    print("| attack | input | succeeded | of hidden bits right, median | time | reference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows(max(10, trials)):
        if int(row.given.split("d = ")[1].split(",")[0]) in wanted:
            print(row.line(), flush=True)
    print(f"\nAll in all {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
