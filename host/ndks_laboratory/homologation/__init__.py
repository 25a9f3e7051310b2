# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Testing and homologation (section 4.1 of the paper): two stages, adversaries, controls, a verdict."""
