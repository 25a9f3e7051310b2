# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units on emulated chips: directory, lines, power. Needs the package ndks-chip."""
