# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A server of keys (ETSI GS QKD 014, SKIP): HTTPS, the ledger, the unit."""
