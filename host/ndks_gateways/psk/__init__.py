# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rotates the pre-shared keys of other programs, in step at both sites."""
