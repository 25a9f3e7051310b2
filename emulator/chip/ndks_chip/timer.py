# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The timer of microseconds (RP2040 datasheet, 4.6): rp2040py's, whose alarms would come a fraction of one early."""

from typing import Any

from rp2040py.peripherals.timer import RPTimer

_ALARM0, _ALARM3 = 0x10, 0x1C
_WRAP = 1 << 32
_NS_PER_US = 1000


class Timer(RPTimer):
    def __init__(self, chip: Any) -> None:
        super().__init__(chip, "TIMER")
        self._zero_ns = 0

    def reset(self) -> None:
        super().reset()
        self._zero_ns = round(self.clock.nanos)

    def write_uint32(self, offset: int, value: int) -> None:
        super().write_uint32(offset, value)
        if _ALARM0 <= offset <= _ALARM3:
            elapsed = round(self.clock.nanos) - self._zero_ns
            wait_us = (value - elapsed // _NS_PER_US) % _WRAP
            alarm = self.alarms[(offset - _ALARM0) // 4].clock_alarm
            alarm.schedule(float(max(0, wait_us * _NS_PER_US - elapsed % _NS_PER_US)))
