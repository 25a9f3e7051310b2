# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The plots of the report, as reproducible images."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from ..attack import Bits
from .canvas import BLUE, GREY, VERMILION, Decimated, Drawing, as_png, as_svg, new_figure, raster_figure, style

_ROW = 256  # elements
_MARKED = 8  # peaks
_SEED = 1  # of the random bits for comparison


@dataclass(frozen=True)
class Plot:
    """A plot of the report; `markup` is not escaped in the page."""

    name: str
    title: str
    caption: str
    markup: Markup = field(repr=False)


def key_raster(bits: Bits) -> Plot:
    """Plot the first 65,536 elements of a key, black for 1, beside as many random bits; fewer if the key is shorter."""
    side = min(_ROW, math.isqrt(bits.size))
    if not side:
        raise ValueError("there is nothing to draw")
    key = bits[: side * side].reshape(side, side)
    random = np.random.default_rng(_SEED).integers(0, 2, (side, side), dtype=np.uint8)
    with style():
        figure, panels = raster_figure(side)
        for axes, raster, title in zip(panels, (key, random), ("the key", "random bits"), strict=True):
            _draw_raster(axes, raster, title)
        panels[0].set_ylabel("row")
        caption = (
            f"The first {side * side:,} elements of the key, {side} per row, black for 1, beside as many random bits. "
            "The eye finds stripes that simple counts miss; their absence proves nothing."
        )
        return Plot("raster", "Key raster", caption, as_png(figure, f"The key and random bits. {caption}"))


def spectrum(power: npt.ArrayLike, threshold: float) -> Plot:
    """Plot the power at each frequency, in units of the mean of random bits.

    `power`, shape (m,): at (i + 1) / (2 m) cycles per element, an FFT of 2 m elements without its first value.
    """
    bins = Decimated(power)
    half = 0.5 / np.size(power)
    peak = f"{bins.peak_value:.3g} at {(bins.peak + 1) * half:.4g} cycles per element"
    with style():
        figure, (axes,) = new_figure(3.3)
        axes.set_yscale("log")
        _draw_peaks(axes, bins, (bins.middle + 1) * half, threshold)
        axes.plot((bins.middle + 1) * half, bins.mean, color=GREY, linewidth=0.7, label="mean")
        axes.set_xlim(0, 0.5)
        axes.set_xlabel("frequency, cycles per element")
        axes.set_ylabel("power / mean of random bits")
        _legend(axes)
        caption = f"Power at {np.size(power):,} frequencies{_drawn(bins)}. Largest: {peak}; threshold {threshold:.3g}."
        return Plot("spectrum", "Spectrum", caption, as_svg(figure, f"Spectrum of the key. {caption}"))


def autocorrelation(sigmas: npt.ArrayLike, threshold: float) -> Plot:
    """Plot the absolute autocorrelation at all lags.

    `sigmas`, shape (m,): at lag i + 1, in standard deviations of random bits.
    """
    bins = Decimated(np.abs(np.asarray(sigmas, dtype=np.float64)))
    lags = bins.middle + 1
    with style():
        figure, (axes,) = new_figure(3.3)
        if bins.peak_value > 4 * threshold:
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, 1.15 * max(bins.peak_value, threshold))
        _draw_peaks(axes, bins, lags, threshold)
        axes.set_xlim(0, np.size(sigmas) + 1)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("lag, elements")
        axes.set_ylabel("|autocorrelation|, \N{GREEK SMALL LETTER SIGMA}")
        _legend(axes)
        caption = (
            f"Autocorrelation at {np.size(sigmas):,} lags{_drawn(bins)}, in sigmas of random bits. Largest: "
            f"{bins.peak_value:.3g} at lag {bins.peak + 1:,}; threshold {threshold:.3g}."
        )
        return Plot("autocorrelation", "Autocorrelation", caption, as_svg(figure, f"Autocorrelation. {caption}"))


def hamming(places: Mapping[str, npt.ArrayLike], low: float, high: float) -> Plot:
    """Plot the part of a key that changes with one digit of a parameter.

    `places`: for each parameter, shape (decimal places, trials), the part of the key's bits that differ, 0 to 1;
    `low` and `high`: the limits for random keys.
    """
    with style():
        figure, (axes,) = new_figure(3.6)
        axes.axhspan(100 * low, 100 * high, color=GREY, alpha=0.25, linewidth=0, label="random keys")
        looks = ((BLUE, "o", -0.18), (VERMILION, "^", 0.18), (GREY, "s", 0.0))
        most = 1
        for (name, given), (colour, marker, shift) in zip(places.items(), looks, strict=False):
            parts = np.atleast_2d(np.asarray(given, dtype=np.float64))
            most = max(most, len(parts))
            at = np.repeat(np.arange(1, len(parts) + 1) + shift, parts.shape[1])
            dots = {"s": 14, "alpha": 0.75, "linewidths": 0}
            axes.scatter(at, 100 * parts.ravel(), color=colour, marker=marker, label=name, **dots)
        axes.set_xlim(0.3, most + 0.7)
        axes.set_ylim(-3, max(60.0, *(103 * float(np.max(given)) for given in places.values() if np.size(given))))
        axes.set_xlabel("decimal place of the digit that was changed")
        axes.set_ylabel("bits that differ, %")
        _legend(axes)
        caption = (
            f"The part of a key that changes with one digit of {' or '.join(places)}, by decimal place. Two random "
            f"keys differ in {100 * low:.3g} to {100 * high:.3g} % of their bits (band)."
        )
        return Plot("hamming", "Sensitivity to one digit", caption, as_svg(figure, f"Hamming distances. {caption}"))


def _draw_raster(axes: Drawing, raster: Bits, title: str) -> None:
    axes.imshow(raster, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    axes.set_title(title)
    axes.set_xlabel("element of the row")


def _draw_peaks(axes: Drawing, bins: Decimated, at: npt.NDArray[np.float64], threshold: float) -> None:
    name = f"largest of {bins.per_bin:,}" if bins.per_bin > 1 else "each"
    axes.plot(at, bins.largest, color=BLUE, linewidth=0.7, label=name)
    highest = np.sort(bins.largest.argsort()[-_MARKED:])
    over = highest[bins.largest[highest] >= threshold]
    if over.size:
        axes.plot(at[over], bins.largest[over], "^", color=VERMILION, markersize=5, label="highest over the threshold")
    axes.axhline(
        threshold, color=VERMILION, linestyle="--", linewidth=1.4, zorder=3, label=f"threshold {threshold:.3g}"
    )


def _legend(axes: Drawing) -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)


def _drawn(bins: Decimated) -> str:
    return f" (the largest of {bins.per_bin:,} neighbours is drawn)" if bins.per_bin > 1 else ""
