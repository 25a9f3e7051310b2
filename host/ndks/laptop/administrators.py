# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How far an administrator's file was when this laptop last changed it: an older file is a copy, and is not used.

It would make the same generation again, with other secrets, and divide the network. The file administrators/ID.json is
{"ndks_generation_made": 1, "g", "changes"}; ID is 16 hex digits, `changes` counts those within the generation.
"""

import json
from typing import Any

from .. import strict_json
from ..exceptions import FileError
from ..files import read_small
from ..system_errors import file_errors
from ..whole_file import write_private
from .homes import home

_MARK = "ndks_generation_made"
_FORMAT = 1


def made_here(identity: str) -> tuple[int, int]:
    """Return generation and changes; the generation is -1 if none is known here. FileError."""
    path = home() / "administrators" / f"{identity}.json"
    if not path.exists():
        return -1, 0
    with file_errors():
        content = read_small(path)
    try:
        values: Any = strict_json.loads(content)
        if not strict_json.is_version(values[_MARK], _FORMAT):
            raise ValueError
        made = strict_json.typed(int, values["g"]), strict_json.typed(int, values["changes"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileError(f"{path} is damaged", "erase it if the administrator's file is no copy") from None
    return made


def note_made(identity: str, made: tuple[int, int]) -> None:
    """Note generation and changes. FileError."""
    directory = home() / "administrators"
    values = {_MARK: _FORMAT, "g": made[0], "changes": made[1]}
    with file_errors():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(directory / f"{identity}.json", f"{json.dumps(values)}\n".encode())
