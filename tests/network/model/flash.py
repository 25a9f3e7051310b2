# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The flash of a unit: records are atomic, power may go before and after each, old ones stay until compaction."""

from typing import Any


class PowerCut(Exception):
    """The power of a unit went."""


class Flash:
    """Records by name. `cut_in` is the number of steps until the power goes, None for never."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
        self.superseded: list[tuple[str, Any]] = []  # with their names, the oldest first
        self.cut_in: int | None = None
        self.moves = 0  # how often record 20 was written: each wears out the board

    def write(self, name: str, body: Any) -> None:
        self._step()
        if name in self.records and name not in ("numbers", "windows"):
            self.superseded.append((name, self.records[name]))
        self.records[name] = body
        self.moves += name == "generation"
        self._step()

    def before(self, name: str) -> list[Any]:
        """Return the superseded records of a name, the newest first."""
        return [body for other, body in reversed(self.superseded) if other == name]

    def compact(self) -> None:
        """Compact nvm and files until no copy of a superseded record is left."""
        self._step()
        self.superseded = []
        self._step()

    def erase(self) -> None:
        self.records, self.superseded = {}, []

    def _step(self) -> None:
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                self.cut_in = None
                raise PowerCut
