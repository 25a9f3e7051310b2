# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A function of the image whose calls are counted."""

from ndks_chip._core import Core


class Watch:
    """Counts since it was created. A call within a call of the same function belongs to the outer one."""

    def __init__(self, core: Core, index: int) -> None:
        self._core, self._index = core, index

    @property
    def calls(self) -> int:
        return self._core.watched(self._index)[0]

    @property
    def cycles(self) -> int:
        """Cycles from call to return, with those of the functions it calls, of the calls that have returned."""
        return self._core.watched(self._index)[1]

    @property
    def longest(self) -> int:
        """Cycles of the longest call."""
        return self._core.watched(self._index)[2]

    @property
    def first_arguments(self) -> int:
        """The sum of the first arguments: the bytes asked for, if the function is an allocator."""
        return self._core.watched(self._index)[3]
