# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handlers of rare commands, in modules that a unit loads for one request and drops afterwards.

Strategy: such a module takes heap only while its command runs. It has a dict HANDLERS, from command codes to handlers.
It is loaded before its handler is called: if that fails, nothing has changed. Whatever it imports stays in the heap
after it, so it imports only modules that a unit has loaded anyway.
"""

import sys

from ndks_protocol import errors

try:
    from typing import Any, Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def load(name: str) -> "dict[int, Callable[..., tuple[Any, ...]]]":
    """Return the handlers of a module. MemoryError; UnitError(STORAGE): the drive is damaged."""
    try:
        return __import__(__name__ + "." + name, None, None, ("HANDLERS",)).HANDLERS
    except MemoryError:
        raise
    except Exception:
        raise errors.UnitError(errors.STORAGE) from None


def drop(name: str) -> None:
    """Remove a module from the heap, also one that was loaded in part."""
    sys.modules.pop(__name__ + "." + name, None)
    globals().pop(name, None)
