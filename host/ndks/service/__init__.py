# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Service that owns a unit and serves many programs: sockets, scopes, order, the port."""
