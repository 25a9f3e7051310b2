# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The last generation that this laptop made with an administrator's file: an older file is a copy, and not used.

It would make the same generation again, with other secrets, and divide the network. The file administrators/ID.json is
{"ndks_generation_made": 1, "g"}; ID is 16 hex digits.
"""

import json
from typing import Any

from .. import strict_json
from ..exceptions import FileError
from ..files import read_small, write_private
from ..system_errors import file_errors
from .homes import home

_MARK = "ndks_generation_made"
_FORMAT = 1


def generation_made(identity: str) -> int:
    """Return the generation, -1: none is known here. FileError."""
    path = home() / "administrators" / f"{identity}.json"
    if not path.exists():
        return -1
    with file_errors():
        content = read_small(path)
    try:
        values: Any = strict_json.loads(content)
        if values[_MARK] != _FORMAT or type(values["g"]) is not int:
            raise ValueError
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileError(f"{path} is damaged", "erase it if the administrator's file is no copy") from None
    return values["g"]


def note_generation(identity: str, g: int) -> None:
    """Note the generation. FileError."""
    directory = home() / "administrators"
    with file_errors():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(directory / f"{identity}.json", f"{json.dumps({_MARK: _FORMAT, 'g': g})}\n".encode())
