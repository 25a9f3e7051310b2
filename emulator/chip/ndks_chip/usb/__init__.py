# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host's side of USB: it enumerates the chip and opens its serial ports."""
