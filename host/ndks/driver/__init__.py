# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The driver of a unit: a method a command, and the verbs made of them."""
