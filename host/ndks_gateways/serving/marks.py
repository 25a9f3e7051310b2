# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a server remembers outside its ledger, so that one that was lost, or put back from a copy, is noticed.

The file must not be put back together with the ledger.
"""

import json
from pathlib import Path
from typing import Any

from ndks import strict_json
from ndks.exceptions import FileError
from ndks.files import read_private
from ndks.system_errors import file_errors
from ndks.whole_file import write_private

from ..keys.runs import Run
from .tables import Delivered, Mark

_FORMAT = 1


class MarkFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Mark:
        """Return what was written last; an empty mark if there is no file. FileError."""
        with file_errors():
            try:
                text = read_private(self._path)
            except FileNotFoundError:
                return Mark()
        try:
            return _from_values(strict_json.loads(text))
        except (ValueError, TypeError, KeyError):
            advice = "move it away, then: ndks serve ledger --lost"
            raise FileError(f"{self._path} is damaged, or of another version of ndks", advice) from None

    def write(self, mark: Mark) -> None:
        """Have the mark on the disk. FileError."""
        values = {"ndks_ledger_mark": _FORMAT, "run": mark.run, "delivered": mark.delivered}
        with file_errors():
            write_private(self._path, json.dumps(values).encode() + b"\n")

    def remove(self) -> None:
        """Forget the mark. FileError."""
        with file_errors():
            self._path.unlink(missing_ok=True)


def _from_values(values: Any) -> Mark:
    """Return the mark. ValueError, TypeError, KeyError."""
    run, delivered = values["run"], values["delivered"]
    numbers = [*(run or ()), *(delivered or ())[:4]]
    is_known = strict_json.is_version(values["ndks_ledger_mark"], _FORMAT)
    if not is_known or any(type(number) is not int for number in numbers):
        raise ValueError
    return Mark(Run(*run) if run else None, Delivered(*delivered) if delivered else None)
