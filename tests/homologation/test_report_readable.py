# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of formatting values for readers."""

import html
import math
import re
from typing import Any

import pytest

from ndks_laboratory.homologation.report import readable


def text(markup: str) -> str:
    """Return the text of a markup, with exponents after a ^."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup.replace("<sup>", "^"))).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.0, "0"),
        (2022, "2022"),
        (192_000_000, "192,000,000"),
        (-5, "\u22125"),
        (0.0130, "0.013"),
        (93.1, "93.1"),
        (990.4, "990"),
        (12345.6, "12,346"),
        (-0.5, "\u22120.5"),
        (0.9996, "1"),
        (3.1e-14, "3.1 \u00d7 10^\u221214"),
        (1e-6, "10^\u22126"),
        (6.02e23, "6.02 \u00d7 10^23"),
        (math.inf, "\u221e"),
        (math.nan, "\u2013"),
        (None, "\u2013"),
        ("", "\u2013"),
        ("<b>", "<b>"),
    ],
)
def test_number(value: Any, expected: str) -> None:
    assert text(readable.number(value)) == expected


def test_exponent_is_a_superscript() -> None:
    assert readable.number(3.1e-14) == (
        '<span class="number">3.1\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}10'
        "<sup>\N{MINUS SIGN}14</sup></span>"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "\u2013"),
        (0.0, "0 s"),
        (2e-5, "< 0.001 s"),
        (0.013, "0.013 s"),
        (0.4126, "0.41 s"),
        (12.44, "12.4 s"),
        (59.9, "59.9 s"),
        (59.99, "1 min 0 s"),
        (93.1, "1 min 33 s"),
        (7265.0, "2 h 1 min"),
    ],
)
def test_seconds(value: float | None, expected: str) -> None:
    assert text(readable.seconds(value)) == expected


@pytest.mark.parametrize(
    ("log10", "expected"),
    [
        (-0.21, "0.62"),
        (-13.5, "3.2 \u00d7 10^\u221214"),
        (-5120.4, "4 \u00d7 10^\u22125121"),
        (None, "\u2013"),
        (0, "1"),
    ],
)
def test_power_of_ten(log10: float | None, expected: str) -> None:
    assert text(readable.power_of_ten(log10)) == expected


def test_probability_that_underflowed_is_not_zero() -> None:
    assert text(readable.probability(0.0)) == "< 10^\u2212307"
    assert text(readable.power_of_ten(-math.inf)) == "< 10^\u2212307"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T16:00:00+00:00", "23 November 2026, 16:00 UTC"),
        ("2026-11-23T16:00:00+02:00", "23 November 2026, 14:00 UTC"),
        ("2026-11-03", "3 November 2026, 00:00"),
        ("<today>", "<today>"),
        (None, "\u2013"),
    ],
)
def test_moment(value: str | None, expected: str) -> None:
    assert text(readable.moment(value)) == expected


def test_value_of_any_shape() -> None:
    nested = {"bits_used": 32, "found": True, "at": {"lag": 71}, "pairs": [[0.52, 25], []], "<i>": None}
    expected = "bits used: 32, found: yes, at: lag: 71, pairs: (0.52, 25), (\u2013), <i>: \u2013"
    assert text(readable.value(nested)) == expected
    assert "<i>" not in readable.value(nested)
