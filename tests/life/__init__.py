# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whole lives of a unit with its laptops, power cuts and thieves."""
