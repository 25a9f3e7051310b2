# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent as a program: its loop, its carriers, and the socket of the programs that send and receive."""
