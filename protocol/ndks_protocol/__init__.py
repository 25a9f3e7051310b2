# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Code that unit and host share: frames, commands, errors, key derivation and the key generator.

The package runs unchanged on CPython, MicroPython and CircuitPython, and does no I/O. PROTOCOL.md is its specification.
"""

MAJOR = 3  # hosts and units of different major versions do not talk to each other
MINOR = 1  # a higher minor version only adds: commands, error codes, fields at the end of answers
