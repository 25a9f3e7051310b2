# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packages without their modules, when all is loaded that stays. Imports find modules in `sys.modules`.

CircuitPython keeps each module as a name of its package, too. With so many names the collector's stack of 64 entries
overflows, and a collection takes twice as long.
"""

import sys


def unlink_modules() -> None:
    """Remove the names of all modules from their packages."""
    for package in {name.rpartition(".")[0] for name in sys.modules}:
        if package in sys.modules:
            names = sys.modules[package].__dict__
            kept = [item for item in names.items() if package + "." + item[0] not in sys.modules]
            names.clear()  # a dict gives back its memory only as a whole
            names.update(kept)
