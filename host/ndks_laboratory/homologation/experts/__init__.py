# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Human adversaries: what experts of a laboratory say that they have decoded (paper, section 4.1.2)."""
