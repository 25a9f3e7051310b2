# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Openings: the key and the characteristics behind a request's commitments, which the candidate shows the authority.

The file is {"ndks_join_opening": 1, request (SHA-256, hex), key (hex), characteristics [[name, value]...]}.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from .. import strict_json
from ..exceptions import CheckFailed, JoiningFileError
from ..strict_json import typed
from ..system_errors import file_errors
from ..whole_file import write_new
from .commitments import KEY_SIZE, differing
from .join_request import CommittedRequest, JoinRequest
from .joining_file import content_of

SUFFIX = ".opening"  # after the name of the request
_MARK = "ndks_join_opening"
_FORMAT = 1
_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True)
class Opening:
    """What opens the commitments of one request."""

    request: str
    key: bytes = field(repr=False)
    characteristics: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def of(cls, request: JoinRequest, key: bytes, characteristics: Iterable[tuple[str, str]]) -> Self:
        return cls(sha256(request.content).hexdigest(), key, tuple(characteristics))

    def save(self, path: Path | str) -> None:
        """Write the file with mode 0600. FileError, also if it exists: it is that of another request."""
        values = {_MARK: _FORMAT, "request": self.request, "key": self.key.hex()}
        with file_errors():
            content = json.dumps(values | {"characteristics": self.characteristics}, indent=2)
            write_new(Path(path), f"{content}\n".encode())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file. FileError, JoiningFileError."""
        content = content_of(Path(path), _LARGEST)
        try:
            return cls._parsed(strict_json.loads(content))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):  # their text could quote the key
            what = f"{path} is no opening of a request, or it is damaged"
            raise JoiningFileError(what, "take the file that ndks join request wrote beside the request") from None

    @classmethod
    def _parsed(cls, values: dict[str, Any]) -> Self:
        pairs = tuple((typed(str, name), typed(str, value)) for name, value in values["characteristics"])
        opening = cls(typed(str, values["request"]), bytes.fromhex(values["key"]), pairs)
        if not strict_json.is_version(values[_MARK], _FORMAT) or len(values) != 4 or len(opening.key) != KEY_SIZE:
            raise ValueError
        return opening

    def differing(self, request: JoinRequest) -> list[str]:
        """Return the names of what the candidate shows and has not committed to, or the other way round.

        CheckFailed: this opens another request.
        """
        if not isinstance(request, CommittedRequest):
            raise CheckFailed("this request commits to nothing", "have one made without --plain")
        if self.request != sha256(request.content).hexdigest():
            raise CheckFailed("this opens another request", "take the file that was written beside this request")
        return differing(request.commitments, self.key, self.characteristics)
