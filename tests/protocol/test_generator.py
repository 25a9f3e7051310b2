# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of equation 7: the paper's keys, and comparison with mpmath over the whole range of parameters."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import load_vectors, packed, paper_bits

from ndks_protocol.generator import MAX_ELEMENTS, MAX_INDEX, Generator, Keystream, keystream
from ndks_protocol.generator.fixed_point import cosine, sine
from ndks_protocol.parameters import parse_decimal
from ndks_protocol.turns import pi

decimals = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}.{fraction}",
    st.sampled_from(["", "-"]),
    st.integers(0, 10**30),
    st.text("0123456789", min_size=2, max_size=40).filter(lambda text: text.strip("0")),
)
indices = st.one_of(st.integers(1, 100), st.integers(1, MAX_INDEX), st.just(MAX_INDEX))
firsts = st.integers(0, 40).flatmap(lambda power: st.integers(0, (1 << power) - 1))


def text_of(key: bytearray, count: int) -> str:
    return "".join(f"{byte:08b}" for byte in key)[:count]


def test_the_keys_that_the_paper_prints() -> None:
    for key in load_vectors("paper")["keys"]:
        bits = Generator(key["p1"], key["p2"], key["d"]).key(key["k"]).read(0, 1024)
        assert text_of(bits, 1024) == key["bits"]


def test_the_example_that_the_paper_works_out() -> None:
    example = load_vectors("paper")["worked_example"]
    bits = Generator(example["p1"], example["p2"], example["d"]).key(example["k"]).read(example["e"], 1)
    assert bits[0] >> 7 == example["bit"]


def test_vectors() -> None:
    for case in load_vectors("generator")["cases"]:
        key = Generator(case["p1"], case["p2"], case["d"]).key(int(case["k"]))
        assert key.read(case["first"], case["count"]).hex() == case["key"]


@settings(max_examples=400)
@given(decimals, decimals, st.integers(1, 12), indices, firsts, st.integers(1, 140))
def test_agreement_with_mpmath(p1: str, p2: str, digits: int, k: int, first: int, count: int) -> None:
    first = min(first, MAX_ELEMENTS - count)
    expected = packed(paper_bits(p1, p2, digits, k, first, count))
    assert bytes(Generator(p1, p2, digits).key(k).read(first, count)) == expected


@settings(max_examples=60)
@given(decimals, decimals, st.integers(1, 12), indices, firsts)
def test_elements_left_in_doubt_are_computed_with_more_bits(p1: str, p2: str, digits: int, k: int, first: int) -> None:
    """With few guard bits Ziv's method computes most elements; no bit may change."""
    first = min(first, MAX_ELEMENTS - 140)
    expected = Generator(p1, p2, digits).key(k).read(first, 140)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keystream, "_GUARD", 20)
        assert Generator(p1, p2, digits).key(k).read(first, 140) == expected


def test_ziv_is_asked_only_about_doubtful_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = Keystream._bit
    monkeypatch.setattr(Keystream, "_bit", lambda self, element: asked.append(element) or original(self, element))
    monkeypatch.setattr(keystream, "_GUARD", 26)
    Generator("0.52", "25", 3).key(1).read(0, 20_000)
    assert 0 < len(asked) < 500


@given(decimals, decimals, st.integers(1, 12), firsts, st.integers(0, 300), st.integers(0, 300))
def test_reading_in_parts_is_reading_at_once(p1: str, p2: str, digits: int, first: int, a: int, b: int) -> None:
    key = Generator(p1, p2, digits).key(7)
    first = min(first, MAX_ELEMENTS - a - b)
    parts = text_of(key.read(first, a), a) + text_of(key.read(first + a, b), b)
    assert parts == text_of(key.read(first, a + b), a + b)


@pytest.mark.parametrize(("digits", "least", "most"), [(6, 0.05, 0.2), (9, 0.4, 0.6)])
def test_doubles_are_not_enough(digits: int, least: float, most: float) -> None:
    """The naive formula in doubles is wrong; this is why the generator uses integers."""
    first, count = 1 << 28, 4000
    y1 = 25 * math.sin(0.52)
    plain = [round(10**digits * abs(math.cos(y1 * e))) % 2 for e in range(first, first + count)]
    exact = text_of(Generator("0.52", "25", digits).key(1).read(first, count), count)
    wrong = sum(a != int(b) for a, b in zip(plain, exact, strict=True)) / count
    assert least < wrong < most


def test_a_phase_step_near_zero_and_near_a_half() -> None:
    """sin(p1 k) near 0 and y1 near a multiple of pi: consecutive elements hardly differ."""
    for p1 in ("3.141592653589793238462643383279502884197", "0.000000000000000000000000000001"):
        for p2 in ("1", "3.14159265358979323846", "1000000"):
            key = Generator(p1, p2, 3).key(1).read(1 << 30, 500)
            assert bytes(key) == packed(paper_bits(p1, p2, 3, 1, 1 << 30, 500))


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "5.", "1e3", "+1", "1,5", " 1", "1 ", "0x1", "0.0", "-0", "٣", "9" * 81]
)
def test_what_is_no_decimal(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|parameter"):
        parse_decimal(text)


@given(st.integers(-(10**20), 10**20).filter(bool), st.integers(0, 20))
def test_decimals_are_exact(numerator: int, places: int) -> None:
    digits = str(abs(numerator)).rjust(places + 1, "0")
    text = ("-" if numerator < 0 else "") + digits[: len(digits) - places] + ("." if places else "")
    text += digits[len(digits) - places :] if places else ""
    assert parse_decimal(text) == (numerator, 10**places)


@pytest.mark.parametrize("digits", [0, 13, -1])
def test_d_out_of_range(digits: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 12"):
        Generator("0.52", "25", digits)


def test_index_and_elements_out_of_range() -> None:
    generator = Generator("0.52", "25", 3)
    for index in (0, -1, MAX_INDEX + 1):
        with pytest.raises(ValueError, match="key index"):
            generator.key(index)
    for first, count in ((-1, 1), (0, -1), (MAX_ELEMENTS, 1), (MAX_ELEMENTS - 1, 2)):
        with pytest.raises(ValueError, match="element index"):
            generator.key(1).read(first, count)


@given(st.integers(8, 1500), st.integers(min_value=0))
def test_cosine_and_sine_keep_their_bound(bits: int, phase: int) -> None:
    import mpmath

    phase %= 1 << bits
    with mpmath.workprec(2 * bits + 64):
        angle = 2 * mpmath.pi * phase / mpmath.mpf(2) ** bits
        for ours, exact in ((cosine, mpmath.cos), (sine, mpmath.sin)):
            assert abs(ours(phase, bits) - exact(angle) * mpmath.mpf(2) ** bits) < 2


def test_pi_whatever_was_asked_for_before() -> None:
    import mpmath

    for bits in (2000, 10, 64, 3000, 1):
        with mpmath.workprec(bits + 64):
            assert abs(pi(bits) - mpmath.pi * mpmath.mpf(2) ** bits) < 2
