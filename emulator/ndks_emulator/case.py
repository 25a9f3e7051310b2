# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's case, and the switch under its lid."""


class Case:
    """A case that any thread may open and close at any time."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.is_open = is_open
        self.openings = 0

    def open(self) -> None:
        self.openings += 1
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class CaseSwitch:
    """What a unit that starts now sees of its case: that it is open, or was at any time since."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._openings = case.openings
        self._seen = case.is_open

    @property
    def opened(self) -> bool:
        self._seen = self._seen or self._case.is_open or self._case.openings != self._openings
        return self._seen
