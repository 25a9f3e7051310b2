# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The list of what is in a folder, kept on the disk until all of it is verified."""

import json
import stat
import tempfile
from collections.abc import Iterator
from typing import Any

from .entries import Entry


class Listing:
    """The receiver that lists: entries come out when the last of them has come in."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by close; mode 0600, without a name)

    def close(self) -> None:
        self._file.close()

    def enter(self, entry: Entry, name: str) -> None:
        self.begin(entry, name)

    def leave(self) -> None:
        """Do nothing: the list is flat."""

    def begin(self, entry: Entry, name: str) -> None:  # noqa: ARG002 (the path says all)
        mode = entry.mode | (stat.S_IFDIR if entry.is_folder else stat.S_IFREG)
        json.dump([stat.filemode(mode), entry.size, entry.time, entry.path], self._file)
        self._file.write("\n")

    def content(self, data: memoryview) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def entries(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            mode, size, time, path = json.loads(line)
            yield {"mode": mode, "size": size, "time": time, "path": path}
