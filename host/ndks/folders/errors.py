# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What refuses the content of a folder."""

from ..exceptions import FolderError
from ..printable import printable

_SHOWN = 80  # letters of a name


def refused(what: str, name: str = "") -> FolderError:
    shown = f": {printable(name[:_SHOWN])}" if name else ""
    return FolderError(f"{what}{shown}")
