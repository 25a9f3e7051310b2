# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Firmware of a unit. It accesses the hardware through `Board` only."""

FIRMWARE = (0, 11, 0)
