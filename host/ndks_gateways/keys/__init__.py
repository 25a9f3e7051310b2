# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys for others: their numbers and ids, and what requests mean. No I/O."""
