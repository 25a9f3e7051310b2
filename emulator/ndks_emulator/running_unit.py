# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A running unit whose case, power, cable and line other threads can control."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ndks_unit import main
from ndks_unit.dispatcher import Dispatcher

from .board import EmulatedBoard, MakeGenerator
from .case import Case
from .directory import UnitDirectory
from .lines import Line
from .powered import Action, Powered


class RunningUnit(Powered):
    """The unit in `directory` on `line`, running the main loop of the firmware."""

    COMMANDS: ClassVar[Mapping[str, str]] = {
        "case open": "open the case; the unit counts it as open until its next start",
        "case close": "close the case",
        **Powered.COMMANDS,
    }

    def __init__(
        self,
        directory: UnitDirectory,
        make_generator: MakeGenerator | None,
        line: Line,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(directory.power, line, announce)
        self.case = Case()
        self._directory = directory
        self._make_generator = make_generator

    @property
    def actions(self) -> dict[str, Action]:
        return {"case open": self.case.open, "case close": self.case.close, **super().actions}

    @property
    def erases(self) -> int:
        return self._directory.erases

    def run(self) -> None:
        main.serve(Dispatcher(EmulatedBoard(self._directory, self._cable, self._make_generator, case=self.case)))

    def status(self) -> dict[str, Any]:
        return {"case": "open" if self.case.is_open else "closed", **super().status()}
