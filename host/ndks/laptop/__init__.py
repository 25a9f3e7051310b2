# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""State of a laptop: its bindings, minimum counters and fingerprint."""
