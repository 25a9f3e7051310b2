# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packages without their modules, when all is loaded that stays. Imports find modules in `sys.modules`.

CircuitPython keeps each module as a name of its package, too. With so many names the collector's stack of 64 entries
overflows, and a collection takes twice its time.
"""

import sys


def unlink_modules() -> None:
    """Remove the names of all modules from their packages."""
    for name in list(sys.modules):
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            sys.modules[package].__dict__.pop(last, None)
