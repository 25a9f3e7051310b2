# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Generations and epochs of a network: keys, beacons and notices (PROTOCOL.md section 11)."""
