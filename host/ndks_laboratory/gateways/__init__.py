# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two gateways with a tapped cable between them, on one computer: `make gateway-demo`."""
