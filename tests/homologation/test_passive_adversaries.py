# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The passive adversaries break suite paper at d = 3, and find nothing in random bits."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.attacks import SECRET_BITS, PaperTarget

from ndks_laboratory.homologation.adversaries.autocorrelation import Autocorrelation
from ndks_laboratory.homologation.adversaries.ciphertext_only import CiphertextOnly
from ndks_laboratory.homologation.adversaries.decimal_grid import DecimalGrid
from ndks_laboratory.homologation.adversaries.float_units import FloatUnits
from ndks_laboratory.homologation.adversaries.frequency import Frequency
from ndks_laboratory.homologation.adversaries.key_reuse import KeyReuse
from ndks_laboratory.homologation.adversaries.parameters import Parameters
from ndks_laboratory.homologation.attack import Adversary, Bits, Finding, Intercepted, Seen

TEXT = b"The boat leaves the harbour at midnight, bring the papers and tell nobody about it."
EVERY = [
    CiphertextOnly(),
    Frequency(),
    Autocorrelation(),
    DecimalGrid(3, 100),
    Parameters(),
    FloatUnits((2, 4)),
    KeyReuse(),
]
LONG_DECIMALS = ("1.1828182845904523536028747135266249775724", "271.4142135623730950488016887242096980785696")


class Coin:
    """An oracle of unknowable bits."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def compare_bits(self, index: int, first: int, bits: Bits) -> int:
        return int(np.count_nonzero(self._rng.integers(0, 2, len(bits)) == bits))

    def compare_text(self, number: int, text: bytes) -> bool:
        return False


def random_seen(digits: int, seed: int, keys: int = 40, long_bits: int = 4096) -> Seen:
    """Return the data of an adversary against random bits."""
    rng = np.random.default_rng(seed)
    messages = tuple(Intercepted(number, rng.bytes(size), SECRET_BITS) for number, size in ((1, 16), (2, 64), (3, 400)))
    rows = rng.integers(0, 2, (keys, 1024), np.uint8)
    return Seen(digits, rows, rng.integers(0, 2, long_bits, np.uint8), messages)


@pytest.fixture(scope="module")
def target() -> PaperTarget:
    return PaperTarget(*LONG_DECIMALS, 3, text=TEXT)


@pytest.fixture(scope="module")
def seen(target: PaperTarget) -> Seen:
    return target.seen(keys=8, long_bits=4096)


def check_prediction(finding: Finding, least: float) -> None:
    assert finding.succeeded
    assert finding.p_value is not None
    assert finding.p_value < 1e-50
    assert finding.details["right_bits"] >= least * finding.details["predicted_bits"]
    assert finding.details["predicted_bits"] == 1000


def test_text_is_read_from_the_ciphertext_alone(seen: Seen, target: PaperTarget) -> None:
    finding = CiphertextOnly().attack(seen, target)
    assert finding.succeeded
    assert finding.p_value is None
    assert finding.details["read"] == finding.details["tried"] == 1
    assert finding.details["excerpt"] == TEXT[:60].decode()
    assert "message 1 in" in finding.outcome.reason


@pytest.mark.parametrize("first", [0, 4, 8, 12])
def test_text_is_read_wherever_its_key_begins(first: int) -> None:
    target = PaperTarget("0.52", "25", 3, text=TEXT)
    plain = np.unpackbits(np.frombuffer(TEXT, np.uint8))
    ciphertext = np.packbits(plain ^ target.bits(9, first, len(plain))).tobytes()
    seen = target.seen()
    moved = replace(seen, messages=(replace(seen.messages[0], ciphertext=ciphertext, first_element=first),))
    assert CiphertextOnly().attack(moved, target).succeeded


def test_symbol_over_and_over_is_read() -> None:
    target = PaperTarget("0.52", "25", 3, text=b"A" * 3000)
    assert CiphertextOnly().attack(target.seen(), target).succeeded


def test_frequency_of_a_key_predicts_its_rest(seen: Seen, target: PaperTarget) -> None:
    check_prediction(Frequency().attack(seen, target), 0.98)


def test_autocorrelation_predicts_the_rest(seen: Seen, target: PaperTarget) -> None:
    finding = Autocorrelation().attack(seen, target)
    check_prediction(finding, 0.98)
    lag, w = finding.details["lag"], finding.details["frequency"]
    assert abs(lag * w / np.pi - round(lag * w / np.pi)) < 0.01  # the denominator of w / pi


def test_parameters_predict_other_keys(seen: Seen, target: PaperTarget) -> None:
    finding = Parameters().attack(seen, target)
    check_prediction(finding, 0.99)
    assert finding.details["keys_measured"] > 5
    assert finding.details["p2"] == pytest.approx(float(LONG_DECIMALS[1]), abs=1e-6)


@pytest.mark.parametrize(("p1", "p2"), [("0.52", "25"), ("2.65", "87"), ("3.1", "9999"), ("1.91781", "3628")])
def test_short_decimals_are_found_exactly_from_five_keys(p1: str, p2: str) -> None:
    target = PaperTarget(p1, p2, 3)
    finding = Parameters().attack(target.seen(keys=5), target)
    check_prediction(finding, 1)
    assert finding.details["decimals"] == [p1, p2]


@pytest.mark.parametrize("digits", [3, 9, 12])
def test_short_decimals_are_found_by_exhaustion_whatever_d_is(digits: int) -> None:
    target = PaperTarget("2.718", "97", digits)
    finding = DecimalGrid(3, 100).attack(target.seen(keys=2), target)
    check_prediction(finding, 1)
    assert (finding.details["p1"], finding.details["p2"]) == ("2.718", "97")


def test_float_unit_is_exhausted() -> None:
    target = PaperTarget("0.52", "25", 3, is_float=True)
    check_prediction(FloatUnits((3, 4)).attack(target.seen(), target), 1)


def test_keys_that_resemble_each_other_are_found(target: PaperTarget) -> None:
    finding = KeyReuse().attack(target.seen(keys=1000), target)
    assert finding.succeeded
    assert finding.p_value is not None
    assert finding.p_value < 1e-12
    first, second = finding.details["most_alike"]
    agreement = np.count_nonzero(target.bits(first, 0, 1024) == target.bits(second, 0, 1024))
    assert agreement == finding.details["agreement"] > 650


@pytest.mark.parametrize("digits", [3, 6])
@pytest.mark.parametrize("adversary", EVERY, ids=lambda adversary: adversary.label)
def test_nothing_is_found_in_random_bits(adversary: Adversary, digits: int) -> None:
    finding = adversary.attack(random_seen(digits, seed=digits), Coin(digits))
    assert finding.succeeded is False
    assert finding.p_value is None or finding.p_value > 1e-6


@pytest.mark.parametrize("adversary", EVERY, ids=lambda adversary: adversary.label)
def test_nothing_is_run_without_what_it_needs(adversary: Adversary) -> None:
    nothing = np.zeros(0, np.uint8)
    finding = adversary.attack(Seen(3, nothing, nothing, ()), Coin(0))
    assert finding.succeeded is None
    assert finding.outcome.reason.startswith("not run: needs ")


@pytest.mark.parametrize(
    "adversary",
    [CiphertextOnly(budget=0.3), Frequency(budget=0.3), Parameters(budget=0.3), FloatUnits(budget=0.3)],
    ids=lambda adversary: adversary.label,
)
def test_budgets_are_kept(adversary: Adversary) -> None:
    seen = random_seen(10, seed=1)
    seen.keys[:, 0] = 0  # otherwise the search ends at once
    finding = adversary.attack(seen, Coin(1))
    assert finding.succeeded is None
    assert finding.outcome.reason == "gave up after 0.3 s, which proves nothing"


def test_names_and_labels_are_unique() -> None:
    assert len({adversary.label for adversary in EVERY}) == len({adversary.name for adversary in EVERY}) == len(EVERY)
