# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The firmware's own files, executed on a PC: boot.py, code.py, the board's file, the record log, the dispatcher."""
