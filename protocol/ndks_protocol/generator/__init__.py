# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The key generator of the paper, with the same bits on every platform."""

from ..parameters import F1, F2, MAX_DIGITS, MAX_ELEMENTS, MAX_INDEX
from .keystream import Generator, Keystream

__all__ = ("F1", "F2", "MAX_DIGITS", "MAX_ELEMENTS", "MAX_INDEX", "Generator", "Keystream")
