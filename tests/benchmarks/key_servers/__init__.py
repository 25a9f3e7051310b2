# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`make bench-serve`: servers of keys by ETSI GS QKD 014, side by side."""
