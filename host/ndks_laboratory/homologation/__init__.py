# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Testing and homologation (section 4.1 of the paper): two stages, attackers, controls, a verdict."""

PRIMAL_BITS = 192_000_000  # the paper's table 2
