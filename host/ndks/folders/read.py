# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The stream of a folder, read as it comes: what is not as packing makes it is refused, before it reaches a disk."""

import base64
from typing import Any, Protocol

from .entries import BLOCK, END, ROOT, Entry, entry_of, padding, size_of_records
from .errors import refused
from .names import parts_of


class Receiver(Protocol):
    """What takes the entries: each folder is entered, and left before whatever does not lie in it."""

    def enter(self, entry: Entry, name: str) -> None: ...

    def leave(self) -> None: ...

    def begin(self, entry: Entry, name: str) -> None: ...

    def content(self, data: memoryview) -> None: ...

    def end(self) -> None: ...


class FolderStream:
    """A sink for the stream of a folder. FolderError, and what its receiver raises."""

    def __init__(self, receiver: Receiver) -> None:
        self.files = self.folders = self.bytes = 0
        self._receiver = receiver
        self._head = bytearray()
        self._wanted = BLOCK
        self._left = self._zeros = 0  # of the content, and after it
        self._inside: list[str] | None = None  # names of the open folders below the first one; None: none has come
        self._last = [""]  # name of the last entry of each open folder
        self._is_complete = False

    def write(self, data: bytes | memoryview, /) -> None:
        view = memoryview(data)
        while view:
            if self._left:
                view = self._take_content(view)
            elif self._zeros:
                view = self._take_zeros(view)
            else:
                view = self._take_head(view)

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def finish(self) -> None:
        """Leave all folders at the end of the stream. FolderError if it is cut off."""
        if not self._is_complete:
            raise refused("the end of the folder is missing")

    def state(self) -> dict[str, Any]:
        """Return where the stream is, for `goes_on`."""
        return {
            "counts": [self.files, self.folders, self.bytes],
            "head": base64.b64encode(self._head).decode(),
            "wanted": self._wanted,
            "left": self._left,
            "zeros": self._zeros,
            "inside": self._inside,
            "last": self._last,
            "is_complete": self._is_complete,
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Go on from a state of an earlier stream. KeyError, TypeError, ValueError."""
        self.files, self.folders, self.bytes = (int(count) for count in state["counts"])
        self._head = bytearray(base64.b64decode(state["head"]))
        self._wanted, self._left, self._zeros = (int(state[name]) for name in ("wanted", "left", "zeros"))
        inside = state["inside"]
        self._inside = None if inside is None else [str(name) for name in inside]
        self._last = [str(name) for name in state["last"]]
        self._is_complete = bool(state["is_complete"])

    def _take_content(self, view: memoryview) -> memoryview:
        part = view[: self._left]
        self._receiver.content(part)
        self._left -= len(part)
        if not self._left:
            self._receiver.end()
        return view[len(part) :]

    def _take_zeros(self, view: memoryview) -> memoryview:
        part = view[: self._zeros]
        if any(part):
            raise refused("there is something after a file")
        self._zeros -= len(part)
        return view[len(part) :]

    def _take_head(self, view: memoryview) -> memoryview:
        if self._is_complete:
            raise refused("there is something after the end of the folder")
        missing = self._wanted - len(self._head)
        self._head += view[:missing]
        if len(self._head) == self._wanted:
            self._read_head(bytes(self._head))
        return view[missing:]

    def _read_head(self, head: bytes) -> None:
        if len(head) == BLOCK and not any(head):
            self._wanted = len(END)
            return
        if self._wanted == len(END) and not any(head[:BLOCK]):
            self._end_all(head)
            return
        if len(head) == BLOCK and (size := size_of_records(head)) is not None:
            self._wanted = 2 * BLOCK + size + padding(size)
            return
        self._head.clear()
        self._wanted = BLOCK
        self._begin(entry_of(head))

    def _end_all(self, head: bytes) -> None:
        if any(head) or self._inside is None:
            raise refused("the end of the folder is damaged")
        self._leave_to(-1)
        self._is_complete = True
        self._head.clear()

    def _begin(self, entry: Entry) -> None:
        name = self._place(entry)
        self._left, self._zeros = entry.size, padding(entry.size)
        self.bytes += entry.size
        if entry.is_folder:
            self.folders += 1
            self._receiver.enter(entry, name)
            return
        self.files += 1
        self._receiver.begin(entry, name)
        if not entry.size:
            self._receiver.end()

    def _place(self, entry: Entry) -> str:
        """Return the name of an entry in its folder, when all folders that it does not lie in are left."""
        if self._inside is None:
            if entry.path != ROOT or not entry.is_folder:
                raise refused("the folder itself is not the first entry", entry.path)
            self._inside = []
            return ""
        *above, name = parts_of(entry.path)
        if self._inside[: len(above)] != above:
            raise refused("an entry comes without its folder, or after another one", entry.path)
        self._leave_to(len(above))
        if name <= self._last[-1]:
            raise refused("an entry comes twice, or in another order", entry.path)
        self._last[-1] = name
        if entry.is_folder:
            self._inside.append(name)
            self._last.append("")
        return name

    def _leave_to(self, level: int) -> None:
        """Leave open folders until `level` are left below the first one; -1: that one as well."""
        while self._inside is not None and len(self._inside) > max(level, 0):
            self._receiver.leave()
            self._inside.pop()
            self._last.pop()
        if level < 0:
            self._receiver.leave()
