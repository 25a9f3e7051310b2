# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a member's host knows of its network, member.json: not secret, but whoever alters it can cut the member off.

The file is {"ndks_member": 1, network, tick (s), signing_key (64 hex digits)}. `ndks join accept` writes it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ... import strict_json
from ...exceptions import FileError
from ...files import read_small
from ...system_errors import file_errors
from ...whole_file import write_private
from . import places

_NAME = "member.json"
_MARK = "ndks_member"
_FORMAT = 1
_KEY_SIZE = 32
_LONGEST_TICK = 1 << 16  # seconds


@dataclass(frozen=True)
class Membership:
    """`signing_key` is the administrators', by which a host knows their bundles; `tick` is in seconds."""

    network: str
    tick: int
    signing_key: bytes

    def save(self, serial_number: str) -> None:
        """Write the file of a unit, in place of a former one. FileError."""
        values = {_MARK: _FORMAT, "network": self.network, "tick": self.tick, "signing_key": self.signing_key.hex()}
        with file_errors():
            path = places.prepare(serial_number) / _NAME
            write_private(path, f"{json.dumps(values, indent=1)}\n".encode())

    @classmethod
    def load(cls, serial_number: str) -> Self | None:
        """Read the file of a unit; None: it has none. FileError: it is damaged."""
        path = places.directory_of(serial_number) / _NAME
        if not path.exists():
            return None
        with file_errors():
            content = read_small(path)
        try:
            return cls._parsed(strict_json.loads(content))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise _damaged(path) from None

    @classmethod
    def _parsed(cls, values: dict[str, Any]) -> Self:
        network, tick, key = values["network"], values["tick"], bytes.fromhex(values["signing_key"])
        if not strict_json.is_version(values[_MARK], _FORMAT) or not isinstance(network, str) or len(values) != 4:
            raise ValueError
        if type(tick) is not int or not 1 <= tick < _LONGEST_TICK or len(key) != _KEY_SIZE:
            raise ValueError
        return cls(network, tick, key)


def _damaged(path: Path) -> FileError:
    advice = "restore it from a copy, or write it anew from the package: ndks join accept PACKAGE"
    return FileError(f"{path} is damaged, or of another version", advice)
