# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Formats of values for readers: 0.013 s, 3.1 x 10^-14 with a superscript, an en dash for a missing value.

All functions return text that is safe in HTML.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from jinja2 import Undefined
from markupsafe import Markup, escape

MISSING = Markup("\N{EN DASH}")
_MINUS = "\N{MINUS SIGN}"
_TIMES = "\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}"
_GROUPED = 10_000  # smallest integer with separators; years and key sizes read better without
_SMALLEST_LOG10 = -307.0  # of a normal double


def is_missing(value: object) -> bool:
    """Return whether a value is undefined, None, empty or NaN."""
    if value is None or isinstance(value, Undefined):
        return True
    return value == "" or (isinstance(value, float) and math.isnan(value))


def number(value: object, digits: int = 3) -> Markup:
    """Format a number with `digits` significant digits; return other values unchanged."""
    if is_missing(value):
        return MISSING
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return escape(value)
    if isinstance(value, int):
        return _signed(f"{value:,}" if abs(value) >= _GROUPED else str(value))
    if math.isinf(value):
        return _signed("-\N{INFINITY}" if value < 0 else "\N{INFINITY}")
    if not value or 1e-3 <= abs(value) < 1e6:
        return _signed(_plain(value, digits))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return _scientific(mantissa, int(exponent))


def power_of_ten(log10: object, digits: int = 2) -> Markup:
    """Format 10 to the power of `log10`, which may be below the range of floats."""
    if is_missing(log10) or not isinstance(log10, (int, float)):
        return MISSING
    if log10 == -math.inf:
        return probability(0.0)
    if log10 > _SMALLEST_LOG10:
        return probability(10.0**log10, digits)
    exponent = math.floor(log10)
    return _scientific(f"{10 ** (log10 - exponent):.{digits - 1}f}", exponent)


def probability(value: object, digits: int = 2) -> Markup:
    """Format a probability."""
    if isinstance(value, float) and not value:
        return Markup("&lt; ") + _scientific("1", int(_SMALLEST_LOG10))
    return number(value, digits)


def seconds(value: object) -> Markup:
    """Format a duration."""
    if is_missing(value) or not isinstance(value, (int, float)):
        return MISSING
    if value < 0.001:
        text = "< 0.001 s" if value > 0 else "0 s"
    elif value < 59.95:
        text = f"{_plain(value, 2 if value < 10 else 3)} s"
    else:
        minutes, rest = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        text = f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
    return escape(text.replace(" ", "\N{NO-BREAK SPACE}"))


def moment(value: object) -> Markup:
    """Format an ISO 8601 time in words, in UTC; return other text unchanged."""
    if is_missing(value):
        return MISSING
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return escape(value)
    zone = ""
    if parsed.tzinfo:
        parsed, zone = parsed.astimezone(UTC), " UTC"
    text = f"{parsed.day} {parsed:%B %Y, %H:%M}{zone}"
    return Markup('<time datetime="{}">{}</time>').format(value, text)


def value(given: object, digits: int = 3) -> Markup:
    """Format any plain value: lists with commas, mappings as names and values."""
    if is_missing(given):
        return MISSING
    if isinstance(given, bool):
        return escape("yes" if given else "no")
    if isinstance(given, Mapping):
        pairs = cast(Mapping[Any, Any], given).items()
        return _joined(Markup("{}: {}").format(words(name), value(item, digits)) for name, item in pairs)
    if isinstance(given, (list, tuple)):
        return _joined(_element(item, digits) for item in cast(Iterable[Any], given))
    return number(given, digits)


def words(name: object) -> str:
    """Return the name of a field as words."""
    return str(name).replace("_", " ")


def _element(item: Any, digits: int) -> Markup:
    inner = value(item, digits)
    return Markup("({})").format(inner) if isinstance(item, (Mapping, list, tuple)) else inner


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup(", ").join(parts) or MISSING


def _plain(value: float, digits: int) -> str:
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    decimals = max(0, digits - 1 - magnitude)
    text = f"{value:,.{decimals}f}" if abs(value) >= _GROUPED else f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(mantissa: str, exponent: int) -> Markup:
    digits = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    factor = {"1": "", "-1": _MINUS}.get(digits, f"{_signed(digits)}{_TIMES}")
    return Markup('<span class="number">{}10<sup>{}</sup></span>').format(factor, _signed(str(exponent)))


def _signed(text: str) -> Markup:
    return Markup(text.replace("-", _MINUS))  # noqa: S704 (digits and signs only)
