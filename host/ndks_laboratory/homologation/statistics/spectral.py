# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The power spectrum of a key's bits as +1 and -1."""

import math

import numpy as np

from ..attack import Bits
from . import fourier
from .result import SingleTest, Statistic, corrected

_LEADING_BITS = 6  # kept of a length, because an FFT is slow if the length has large prime factors
_DOUBLE = 1 << 22  # elements in double precision; more in single, to save memory (error: 10^-6 of the mean amplitude)
_ROUNDING = 1e-4  # bounds the relative error of powers above the mean


def spectrum(bits: Bits) -> fourier.Reals:
    """Return |F_j|^2 / n, F_j = sum over i of +-1 e^(-2 pi i j / n), for j = 0 to n / 2; the mean for fair bits is 1.

    Up to 1/32 of the bits at the end are omitted, to make n a smoother number.
    """
    size = _smooth(len(bits))
    transform = fourier.forward(fourier.signs(bits[:size], np.float64 if size <= _DOUBLE else np.float32))
    power = np.square(transform.real)
    power += np.square(transform.imag)
    power /= size
    return power


def frequencies(bits: Bits) -> Statistic:
    """Test the power P at all frequencies by an upper bound of P(|F|^2 >= n P), which is e^-P for normal variables.

    The projection of F on a direction is a sum of +-a_i, where the squares of a_i sum to n / 2 exactly (except at the
    frequencies 0 and n / 2, where F is real). By Hoeffding's inequality it exceeds t with probability at most
    exp(-t^2 / n). If |F| >= sqrt(n P), then among any K evenly spaced directions there is one on which F projects to at
    least sqrt(n P) cos(pi / K). Hence P(...) <= K exp(-P cos(pi / K)^2) for every K > 2. If F is real: 2 exp(-P / 2).
    The best K is near pi sqrt(2 P); the bound is then within a factor of 8 sqrt(P) of e^-P.
    """
    size = _smooth(len(bits))
    power = spectrum(bits)
    tests = len(power)
    ends = [0, size // 2] if size % 2 == 0 else [0]
    real = max(ends, key=lambda j: power[j])
    log_real = math.log(2) - _certain(power[real]) / 2
    power_real = float(power[real])
    power[ends] = 0
    at = int(np.argmax(power))
    log_complex = _polygon_bound(_certain(power[at]))
    is_real = log_real < log_complex
    j, best = (real, power_real) if is_real else (at, float(power[at]))
    log10_p = corrected(min(log_real, log_complex) / math.log(10), tests)
    where = f"frequency {j}/{size}" + (f", period {size / j:.6g}" if j else "")
    return Statistic("spectral", tests, log10_p, SingleTest(where, best, size, math.sqrt(best)))


def power_limit(p_value: float) -> float:
    """Return the power that fair bits reach at a given frequency with probability `p_value` at most."""
    power = 1.0
    while _polygon_bound(power) > math.log(p_value):
        power += 0.01
    return power


def _polygon_bound(power: float) -> float:
    directions = max(3, math.ceil(math.pi * math.sqrt(2 * power)))
    # log of an upper bound of P(|F|^2 / n >= power)
    return math.log(directions) - power * math.cos(math.pi / directions) ** 2


def _certain(power: float) -> float:
    return float(power) * (1 - _ROUNDING)


def _smooth(count: int) -> int:
    drop = max(0, count.bit_length() - _LEADING_BITS)
    return count >> drop << drop
