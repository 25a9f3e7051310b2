# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Benchmarks: a package, because some of its folders are called as folders of tests are."""
