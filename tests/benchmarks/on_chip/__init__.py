# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`make chip-bench`: time and memory of the firmware on CircuitPython, on an emulated chip in virtual time.

The bench knows the wire and the interpreter's heap, stack and functions; it does not know the firmware's own names.
"""
