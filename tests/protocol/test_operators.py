# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The general system, equations 2 to 6: every chain of operators is exact, and no operator is linear."""

import itertools

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference
from support.reference import load_vectors, packed, paper_bits

from ndks_protocol.generator import F1, F2, MAX_ELEMENTS, MAX_INDEX, Generator, Keystream, keystream
from ndks_protocol.generator.frequencies import sinh
from ndks_protocol.generator.operators import digit, parity
from ndks_protocol.parameters import MAX_HYPERBOLIC_P1

CHAINS = list(itertools.product(F1, F2))
PI = "3.141592653589793238462643383279502884197"
SMALL = "0.000000000000000000000000000001"
LARGE = "1" + "0" * 30


def numbers(largest: int) -> st.SearchStrategy[str]:
    return st.builds(
        lambda sign, whole, fraction: f"{sign}{whole}.{fraction}",
        st.sampled_from(["", "-"]),
        st.one_of(st.integers(0, min(9, largest)), st.integers(0, largest)),
        st.text("0123456789", min_size=2, max_size=40).filter(lambda text: text.strip("0")),
    )


p1s = st.one_of(numbers(MAX_HYPERBOLIC_P1 - 1), st.sampled_from([PI, "-" + PI, SMALL, "1000", "-1000"]))
p2s = st.one_of(numbers(10**30), st.sampled_from([PI, SMALL, LARGE, "-1"]))
indices = st.one_of(st.integers(1, 100), st.integers(1, MAX_INDEX), st.just(MAX_INDEX))
firsts = st.one_of(
    *(st.integers((1 << power) - 150, (1 << power) + 10) for power in (20, 32, 40)),
    st.integers(0, 300),
    st.integers(0, MAX_ELEMENTS),
)


def test_vectors() -> None:
    cases = load_vectors("operators")["cases"]
    assert {(case["f1"], case["f2"]) for case in cases} == set(CHAINS)
    for case in cases:
        key = Generator(case["p1"], case["p2"], case["d"], case["f1"], case["f2"]).key(int(case["k"]))
        assert key.read(case["first"], case["count"]).hex() == case["key"]


@pytest.mark.parametrize(("f1", "f2"), CHAINS)
@settings(max_examples=60)
@given(p1s, p2s, st.integers(1, 12), indices, firsts, st.integers(1, 140))
def test_agreement_with_mpmath(f1: str, f2: str, p1: str, p2: str, digits: int, k: int, first: int, count: int) -> None:
    first = min(first, MAX_ELEMENTS - count)
    expected = packed(paper_bits(p1, p2, digits, k, first, count, f1, f2))
    assert bytes(Generator(p1, p2, digits, f1, f2).key(k).read(first, count)) == expected


@pytest.mark.parametrize("f1", F1)
@given(p1s, p2s, indices, st.integers(8, 700))
def test_phase_step_keeps_its_bound(f1: str, p1: str, p2: str, k: int, bits: int) -> None:
    """The error is below 2 ulp for any integer part."""
    with mpmath.workprec(bits + 2600):
        y1 = reference.F1[f1](mpmath.mpf(p1), mpmath.mpf(p2), k)
        turns = y1 / (2 * mpmath.pi) * mpmath.mpf(2) ** bits
        off = (Generator(p1, p2, 3, f1).phase_step(k, bits) - turns) / mpmath.mpf(2) ** bits
        assert abs(off - mpmath.nint(off)) * mpmath.mpf(2) ** bits < 2


@settings(max_examples=300)
@given(st.integers(8, 900), st.integers(-MAX_HYPERBOLIC_P1, MAX_HYPERBOLIC_P1 - 1), st.integers(min_value=0))
def test_sinh_keeps_its_bound(bits: int, whole: int, fraction: int) -> None:
    x = (whole << bits) + fraction % (1 << bits)
    with mpmath.workprec(2 * bits + 3000):
        one = mpmath.mpf(2) ** bits
        assert abs(sinh(x, bits) - mpmath.sinh(x / one) * one) < 2


@pytest.mark.parametrize("f2", F2)
@settings(max_examples=30)
@given(p1s, p2s, st.integers(1, 12), indices, firsts)
def test_elements_left_in_doubt_are_computed_with_more_bits(
    f2: str, p1: str, p2: str, digits: int, k: int, first: int
) -> None:
    """With few guard bits Ziv's method computes many elements; no bit may change."""
    first = min(first, MAX_ELEMENTS - 140)
    expected = Generator(p1, p2, digits, f2=f2).key(k).read(first, 140)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keystream, "_GUARD", 30)
        assert Generator(p1, p2, digits, f2=f2).key(k).read(first, 140) == expected


@pytest.mark.parametrize("f2", F2[1:])
def test_ziv_is_asked_only_about_doubtful_elements(f2: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = Keystream._bit
    monkeypatch.setattr(Keystream, "_bit", lambda self, element: asked.append(element) or original(self, element))
    Generator("0.52", "25", 3, f2=f2).key(1).read(0, 5_000)
    assert not asked
    monkeypatch.setattr(keystream, "_GUARD", 30)
    Generator("0.52", "25", 3, f2=f2).key(1).read(0, 5_000)
    assert 0 < len(asked) < 500


@pytest.mark.parametrize("f2", F2)
@given(p1s, firsts, st.integers(0, 300), st.integers(0, 300))
def test_reading_in_parts_is_reading_at_once(f2: str, p1: str, first: int, a: int, b: int) -> None:
    key = Generator(p1, "25.5", 6, "hyperbolic", f2).key(7)
    first = min(first, MAX_ELEMENTS - a - b)

    def text(start: int, count: int) -> str:
        return "".join(f"{byte:08b}" for byte in key.read(start, count))[:count]

    assert text(first, a) + text(first + a, b) == text(first, a + b)


def test_a_polynomial_that_vanishes_gives_a_key_of_zeros() -> None:
    """p1 k + p2 k^2 = 0: the only angular frequency that can be 0; cos 0 = 1 everywhere."""
    for f2 in F2:
        assert bytes(Generator("-7", "1", 3, "polynomial", f2).key(7).read(1 << 30, 200)) == bytes(25)


def test_equation_7_is_the_default() -> None:
    by_name = Generator("0.52", "25", 3, "sinusoid", "cosine")
    by_default = Generator("0.52", "25", 3)
    assert (by_default.f1, by_default.f2, by_default.power) == ("sinusoid", "cosine", 1)
    assert by_name.key(1).read(0, 1024) == by_default.key(1).read(0, 1024)


def test_every_chain_gives_another_key() -> None:
    assert len({bytes(Generator("0.52", "25", 3, *chain).key(1).read(0, 256)) for chain in CHAINS}) == len(CHAINS)


def test_operators_and_parameters_that_are_refused() -> None:
    for name in ("", "sine", "Sinusoid", "cosine"):
        with pytest.raises(ValueError, match="f1 is one of sinusoid, polynomial, hyperbolic"):
            Generator("0.52", "25", 3, name)
    for name in ("", "cos", "sinusoid"):
        with pytest.raises(ValueError, match="f2 is one of cosine, cosine_square, cosine_cube"):
            Generator("0.52", "25", 3, "sinusoid", name)
    for p1 in ("1000.0000000001", "-1001", "9" * 80):
        with pytest.raises(ValueError, match="between -1000 and 1000"):
            Generator(p1, "25", 3, "hyperbolic")
        Generator(p1, "25", 3, "polynomial")


# Nonlinearity, equations 1a and 1b: f(x + y) = f(x) + f(y) and f(a x) = a f(x) fail over the real numbers. Each test
# finds numbers for which both sides differ by more than the error bounds of the computation, which is a proof.

PAIRS = ((1, 1), (1, 2), (2, 3))


def differ(a: int, b: int, error: int, modulus: int = 0) -> bool:
    difference = (a - b) % modulus if modulus else a - b
    return error < abs(difference) and (not modulus or difference < modulus - error)


@pytest.mark.parametrize("f1", F1)
@given(p1s, p2s)
def test_f1_is_not_linear_in_the_key_index(f1: str, p1: str, p2: str) -> None:
    """It is not linear modulo 2 pi either."""
    bits = 1200  # the deviation for the smallest parameters is only 10^-120

    def y1(k: int) -> int:
        return Generator(p1, p2, 3, f1).phase_step(k, bits)

    turn = 1 << bits
    assert any(differ(y1(x + y), y1(x) + y1(y), 6, turn) for x, y in PAIRS)
    assert any(differ(y1(a * x), a * y1(x), 2 + 2 * a, turn) for a, x in itertools.product((2, 3), (1, 2, 3)))


@pytest.mark.parametrize(("f1", "f2"), CHAINS)
@given(p1s, p2s)
def test_f2_is_not_linear_in_the_element(f1: str, f2: str, p1: str, p2: str) -> None:
    """It cannot be linear, because f(0) = 1. It is not linear beyond 0 either."""
    key = Generator(p1, p2, 3, f1, f2).key(1)

    def y2(e: int) -> int:
        return key._cosine(e**key._power, key._bits, key._step)

    one = 1 << key._bits
    assert y2(0) == one
    assert differ(y2(0 + 0), y2(0) + y2(0), 0)
    assert differ(y2(2 * 0), 2 * y2(0), 0)
    assert any(differ(y2(x + y), y2(x) + y2(y), 27) for x, y in PAIRS)
    assert any(differ(y2(a * x), a * y2(x), 9 + 9 * a) for a, x in itertools.product((2, 3), (1, 2, 3)))


@given(st.integers(1, 12))
def test_f3_is_not_linear(digits: int) -> None:
    bits, scale = 64, 10**digits
    unit = (1 << bits) // scale + 1  # slightly more than 10^-d

    def y3(units: int) -> int:
        return digit(units * unit, bits, scale, 0)

    assert [y3(units) for units in (6, 7, 13, -7)] == [6, 7, 3, 7]
    assert y3(6 + 7) != y3(6) + y3(7)
    assert y3(2 * 7) == 4 != 2 * y3(7)
    assert y3(-7) != -y3(7)


def test_f3_by_hand() -> None:
    """With d = 1: round(10 * 0.75) = 8, round(10 * 1.5) = 15."""
    three_quarters = 3 << 62
    assert digit(three_quarters, 64, 10, 0) == 8
    assert digit(2 * three_quarters, 64, 10, 0) == 5 != 8 + 8


def test_f4_is_not_linear() -> None:
    """Equation 1 is over the real numbers; modulo 2 parity is linear."""
    assert parity(1 + 1) == 0 != parity(1) + parity(1)
    assert parity(3 * 1) == 1 != 3 * parity(1)


@given(st.integers(0, 10**12), st.integers(1, 4), st.integers(0, 10**6))
def test_f3_gives_a_digit_only_when_all_of_the_interval_has_it(y2: int, digits: int, error: int) -> None:
    scale = 10**digits
    low, high = (scale * end + (1 << 39) >> 40 for end in (y2 - error, y2 + error))
    assert digit(y2, 40, scale, error) == digit(-y2, 40, scale, error) == (low % 10 if low == high else -1)
