# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`make bench-gateways`: `ndks tunnel` side by side with spiped and stunnel, in one run.

Each pair of gateways stands before the same server, all on this computer. `ndks tunnel` has two emulated units behind
two services; their CPU counts too. stunnel uses TLS 1.3 with a pre-shared key, spiped its defaults.
"""
