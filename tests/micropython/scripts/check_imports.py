# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Import of every portable module."""

from harness import run

run({"import": __import__})
