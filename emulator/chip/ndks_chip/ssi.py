# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The serial interface to flash (RP2040 datasheet, 4.10). Reads through XIP do not pass here: the core makes them."""

from collections import deque

from rp2040py.gpio_pin import GPIOPin, GPIOPinState

from ndks_chip.flash import Flash

_SSIENR, _TXFLR, _RXFLR, _SR = 0x08, 0x20, 0x24, 0x28
_IDR, _VERSION, _DR0, _DR_END = 0x58, 0x5C, 0x60, 0xF0
_FIXED = {_TXFLR: 0, _IDR: 0x51535049, _VERSION: 0x3430312A}
_TX_HAS_ROOM, _TX_IS_EMPTY, _RX_HAS_DATA = 0x02, 0x04, 0x08
_IDLE = 0xFF
_DRIVEN_LOW, _DRIVEN_HIGH = 2, 3  # OUTOVER of GPIO_QSPI_SS


class Ssi:
    """A peripheral of rp2040py. Bytes are exchanged at once, so the transmit FIFO is always empty.

    The chip is selected by software, which forces the pin low, or by this interface. In the second case a command ends
    when software checks whether the interface is idle.
    """

    def __init__(self, flash: Flash, select_pin: GPIOPin) -> None:
        self._flash, self._pin = flash, select_pin
        self._registers: dict[int, int] = {}
        self._received: deque[int] = deque()
        self._is_selected = False
        select_pin.add_listener(self._pin_changed)

    def reset(self) -> None:
        self._registers.clear()
        self._received.clear()
        self._is_selected = False
        self._flash.reset()

    def read_uint32(self, offset: int) -> int:
        if _DR0 <= offset < _DR_END:
            return self._received.popleft() if self._received else 0
        if offset == _SR:
            self._end_unless_forced()
            return _TX_HAS_ROOM | _TX_IS_EMPTY | (_RX_HAS_DATA if self._received else 0)
        if offset == _RXFLR:
            return len(self._received)
        return _FIXED.get(offset, self._registers.get(offset, 0))

    def write_uint32(self, offset: int, value: int) -> None:
        if _DR0 <= offset < _DR_END:
            self._exchange(value & 0xFF)
        else:
            self._registers[offset] = value
        if offset == _SSIENR and not value:
            self._received.clear()
            self._end_unless_forced()

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        old = self._registers.get(offset, 0)
        self.write_uint32(offset, (value, old ^ value, old | value, old & ~value)[atomic_type])

    def _exchange(self, value: int) -> None:
        if not self._registers.get(_SSIENR):
            return
        if self._forced() == _DRIVEN_HIGH:
            self._received.append(_IDLE)
            return
        if not self._is_selected:
            self._is_selected = True
            self._flash.select()
        self._received.append(self._flash.exchange(value))

    def _forced(self) -> int:
        return self._pin.ctrl >> 8 & 3

    def _end_unless_forced(self) -> None:
        if self._forced() != _DRIVEN_LOW:
            self._end()

    def _pin_changed(self, new: GPIOPinState, _old: GPIOPinState) -> None:
        if new == GPIOPinState.HIGH:
            self._end()

    def _end(self) -> None:
        if self._is_selected:
            self._is_selected = False
            self._flash.deselect()
