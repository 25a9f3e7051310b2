# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The case of a unit and its switch."""


class Case:
    """A case that any thread can open and close."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.is_open = is_open
        self.openings = 0

    def open(self) -> None:
        self.openings += 1
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class CaseSwitch:
    """The case switch since a start of the unit. `opened` stays True once the case has been open."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._openings = case.openings
        self._seen = case.is_open

    @property
    def opened(self) -> bool:
        self._seen = self._seen or self._case.is_open or self._case.openings != self._openings
        return self._seen
