# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The world in which networks are tried: a bad channel, thieves, power cuts, administrators apart."""
