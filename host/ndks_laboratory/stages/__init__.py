# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The two stages of the paper's test (section 4.1), and their parts: cages, sides, letters, a relay."""
