# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Every portable module can be imported."""

from harness import run

run({"import": __import__})
