# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Homologation of units (paper, section 4.1): two stages, adversaries, controls and a verdict."""
