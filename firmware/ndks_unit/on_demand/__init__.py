# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Modules that a unit loads for one task: those of this folder, and rare cryptography.

Strategy: such a module takes heap only while its task runs: nothing but the task refers to it. Modules for rare
commands have a dict HANDLERS, from command codes to handlers. A module is loaded before anything is changed: if that
fails, nothing has. Whatever it imports stays in the heap after it, so it imports only modules that a unit has loaded
anyway, or that are loaded together with it.
"""

import sys

from ndks_protocol import errors

try:
    from typing import Any
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def load(*names: str) -> "list[Any]":
    """Return the modules of these full names, each imported after those before it, and forget them here.

    MemoryError; UnitError(STORAGE): the drive is damaged.
    """
    new = [name for name in names if name not in sys.modules]  # on a PC, a host may have loaded one for itself
    try:
        return [__import__(name, None, None, (name,)) for name in names]
    except MemoryError:
        raise
    except Exception:
        raise errors.UnitError(errors.STORAGE) from None
    finally:
        for name in new:
            _forget(name)


def get(name: str) -> "Any":
    """Return a module of this folder. Errors as `load`."""
    return load(__name__ + "." + name)[0]


def _forget(name: str) -> None:
    """Remove a module from where the interpreter keeps it, even one that was loaded only in part."""
    sys.modules.pop(name, None)
    package, _, last = name.rpartition(".")
    sys.modules[package].__dict__.pop(last, None)
