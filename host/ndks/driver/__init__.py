# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Driver of a unit: one method per command, and operations made of several commands."""
