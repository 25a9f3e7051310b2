# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The product in the world: its agents, its administrators, and units of the model, of the product, or both."""
