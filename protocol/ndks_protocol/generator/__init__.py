# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The key generator of the paper, exact on every platform."""

from .keystream import MAX_DIGITS, MAX_ELEMENTS, MAX_INDEX, Generator, Keystream

__all__ = ("MAX_DIGITS", "MAX_ELEMENTS", "MAX_INDEX", "Generator", "Keystream")
