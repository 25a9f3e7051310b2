# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The program of a tunnel: sockets, links, the unit, what is kept on the disk."""
