# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The line to a unit: ports, frames, requests and answers, sessions."""
