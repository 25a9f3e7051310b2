# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The laboratory: the paper's tests of units, from a demo to homologation."""
