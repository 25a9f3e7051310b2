# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the firmware on a PC: boot.py, code.py, rp2040.py, the record log, the dispatcher."""
