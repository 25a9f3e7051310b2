# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The RP2040: our core with rp2040py's peripherals, wired as those expect it."""

import math
from collections.abc import Callable
from typing import Any

from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.gpio_pin import GPIOPin
from rp2040py.irq import IRQ
from rp2040py.peripherals.dma import RPDMA
from rp2040py.peripherals.pio import RPPIO
from rp2040py.peripherals.pwm import RPPWM
from rp2040py.qspi_pads import QSPI_PAD_RESET_VALUES
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from ndks_chip._core import Core
from ndks_chip.flash import Flash
from ndks_chip.peripherals import Peripherals
from ndks_chip.rosc import Rosc
from ndks_chip.sio import Sio
from ndks_chip.ssi import Ssi

CYCLE_NS = 8  # 125 MHz
HZ = 125_000_000
_QSPI_NAMES = ("SCLK", "SS", "SD0", "SD1", "SD2", "SD3")
_SELECT = 1
_NEVER = 1 << 63
_SSI, _DPRAM, _SIO = 0x18000, 0x50100, 0xD0000  # address // 4096


class Microcontroller:
    """What rp2040py calls an RP2040: its peripherals get this object and use the attributes without docstring."""

    def __init__(self, memory: bytearray, flash: Flash, entropy: Callable[[int], int]) -> None:
        rom = b"".join(word.to_bytes(4, "little") for word in BOOTROM_B1)
        self.core = Core(rom, memory, self)
        self.clock = SimulationClock()
        self.logger = ConsoleLogger(LogLevel.ERROR)
        self.clk_sys = self.clk_peri = HZ
        self.simulator = None
        self.flash, self.usb_dpram = memory, self.core.dpram
        self.sio = Sio(self.core)
        chip: Any = self  # in the eyes of rp2040py, an RP2040
        self.gpio = [GPIOPin(chip, i) for i in range(30)]
        self.qspi = [GPIOPin(chip, i, name, always_output_enabled=True) for i, name in enumerate(_QSPI_NAMES)]
        self._reset_qspi_pads()
        self.ssi = Ssi(flash, self.qspi[_SELECT])
        self.dma = RPDMA(chip, "DMA")
        self.pwm = RPPWM(chip, "PWM")
        self.pio = [RPPIO(chip, "PIO0", IRQ.PIO0_IRQ0, 0), RPPIO(chip, "PIO1", IRQ.PIO1_IRQ0, 1)]
        self.peripherals = Peripherals(chip, self.ssi, Rosc(entropy))

    # Time

    def run(self, deadline: int) -> None:
        """Run to this cycle, or until the core leaves early."""
        self.synchronize()
        self.core.run(min(deadline, self._next_alarm()))
        self.synchronize()

    def synchronize(self) -> None:
        """Bring the peripherals' clock to the core's time: their alarms take place."""
        behind = self.core.now * CYCLE_NS - self.clock.nanos
        if behind > 0:
            self.clock.tick(behind)

    def _next_alarm(self) -> int:
        if not self.clock.has_scheduled_alarm:
            return _NEVER
        return self.core.now + max(1, math.ceil(self.clock.nanos_to_next_alarm / CYCLE_NS))

    # What the core does not have

    def load(self, address: int) -> int:
        """Read a register that is not in the core."""
        if address >> 12 == _SSI:  # which has no time, and is read often while flash is written
            return self.ssi.read_uint32(address & 0xFFF)
        self.synchronize()
        if address >> 12 == _SIO:
            return self.sio.load(address & 0xFFF, self)
        return self.peripherals.load(address)

    def store(self, address: int, value: int) -> bool:
        """Write a register that is not in the core; or look at what the core has written.

        Return whether an alarm may have been moved.
        """
        if address >> 12 == _SSI:
            self.ssi.write_uint32(address & 0xFFF, value)
            return False
        self.synchronize()
        if address >> 12 == _SIO:
            self.sio.stored(address & 0xFFF, self)
        elif address >> 12 == _DPRAM:
            self.peripherals.usb.dpram_updated(address & 0xFFF, value)
        else:
            self.peripherals.store(address, value)
        return True

    # What peripherals ask for

    def set_interrupt(self, irq: int, value: bool) -> None:
        self.core.set_line(int(irq), value)

    def update_io_interrupt(self) -> None:
        self.set_interrupt(IRQ.IO_BANK0, any(pin.irq_value for pin in self.gpio))

    @property
    def gpio_values(self) -> int:
        return sum(1 << i for i, pin in enumerate(self.gpio) if pin.input_value)

    @property
    def qspi_values(self) -> int:
        return sum(1 << i for i, pin in enumerate(self.qspi) if pin.input_value)

    def read_uint32(self, address: int) -> int:
        return self.core.load(address, 4)

    def read_uint16(self, address: int) -> int:
        return self.core.load(address, 2)

    def read_uint8(self, address: int) -> int:
        return self.core.load(address, 1)

    def write_uint32(self, address: int, value: int) -> None:
        self.core.store(address, value & 0xFFFFFFFF, 4)

    def write_uint16(self, address: int, value: int) -> None:
        self.core.store(address, value & 0xFFFF, 2)

    def write_uint8(self, address: int, value: int) -> None:
        self.core.store(address, value & 0xFF, 1)

    # Resets

    def reset(self) -> None:
        """Reset all but the watchdog, whose scratch registers tell why, and the memories."""
        self.core.reset()
        for pin in (*self.gpio, *self.qspi):
            pin.reset()
        self._reset_qspi_pads()
        self.peripherals.reset()
        self.core.restart_timer()

    def _reset_qspi_pads(self) -> None:
        for pin, value in zip(self.qspi, QSPI_PAD_RESET_VALUES, strict=True):
            pin.pad_value = value
