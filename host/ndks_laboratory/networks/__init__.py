# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The life of a network with an administrator: emulated units, services and agents on laptops of their own."""
