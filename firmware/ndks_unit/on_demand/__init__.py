# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Modules that a unit loads for one task and drops afterwards: those of this folder, and of rare cryptography.

Strategy: such a module takes heap only while its task runs. Those of this folder have a dict HANDLERS, from command
codes to handlers. A module is loaded before anything is changed: if that fails, nothing has. Whatever it imports stays
in the heap after it, so it imports only modules that a unit has loaded anyway, or that are dropped as well.
"""

import sys

from ndks_protocol import errors

try:
    from typing import Any, Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_loaded: "dict[str, bool]" = {}  # what `load` has loaded; on a PC a host may have loaded a module for itself


def load(name: str) -> "Any":
    """Return a module by its full name. MemoryError; UnitError(STORAGE): the drive is damaged."""
    if name not in sys.modules:
        _loaded[name] = True
    try:
        return __import__(name, None, None, (name,))
    except MemoryError:
        raise
    except Exception:
        raise errors.UnitError(errors.STORAGE) from None


def drop(name: str) -> None:
    """Remove a module that `load` has loaded from the heap, also one that was loaded in part."""
    if _loaded.pop(name, False):
        sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            sys.modules[package].__dict__.pop(last, None)


def handlers_of(name: str) -> "dict[int, Callable[..., tuple[Any, ...]]]":
    """Load a module of this folder and return its handlers. Errors as `load`."""
    return load(__name__ + "." + name).HANDLERS


def drop_handlers(name: str) -> None:
    """Drop a module of this folder."""
    drop(__name__ + "." + name)
