# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The release build of the firmware: what the board would compile at every start, compiled beforehand and shortened."""
