# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The pins' side of SIO (RP2040 datasheet, 2.3.1.2). Its registers are in the core."""

import logging
from typing import TYPE_CHECKING

from ndks_chip._core import Core

if TYPE_CHECKING:
    from ndks_chip.microcontroller import Microcontroller

_GPIO_IN, _QSPI_IN = 0x004, 0x008
_GPIO_OUT, _QSPI_OUT, _OUT_END = 0x010, 0x030, 0x050
_log = logging.getLogger(__name__)


class Sio:
    """What rp2040py's pins read; and the inputs, which the core asks for."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def gpio_value(self) -> int:
        return self._core.gpio_out

    @property
    def gpio_output_enable(self) -> int:
        return self._core.gpio_oe

    @property
    def qspi_gpio_value(self) -> int:
        return self._core.qspi_out

    @property
    def qspi_gpio_output_enable(self) -> int:
        return self._core.qspi_oe

    def load(self, offset: int, chip: "Microcontroller") -> int:
        if offset == _GPIO_IN:
            return chip.gpio_values
        if offset == _QSPI_IN:
            return chip.qspi_values
        _log.warning("SIO register 0x%03x is not emulated: it reads as 0", offset)
        return 0

    def stored(self, offset: int, chip: "Microcontroller") -> None:
        """The core has changed outputs: tell those that listen to the pins."""
        if not _GPIO_OUT <= offset < _OUT_END:
            _log.warning("SIO register 0x%03x is not emulated: a write is lost", offset)
            return
        for pin in chip.gpio if offset < _QSPI_OUT else chip.qspi:
            pin.check_for_updates()
