# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All of a unit's behaviour. Hardware only through `Board`."""

FIRMWARE = (0, 2, 0)
