# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Line to a unit: ports, frames, requests, answers and sessions."""
