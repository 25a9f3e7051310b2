# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The homologation of a network: three or more units with the product's agents, in virtual ticks, on one channel."""
