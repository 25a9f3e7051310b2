# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
from collections.abc import Callable
from typing import Protocol

class Registers(Protocol):
    """The registers that are not in the core. What these methods raise, `Core.run` raises."""

    def load(self, address: int, /) -> int: ...
    def store(self, address: int, value: int, /) -> bool:
        """Return whether the run has to end early, because there is something to do before."""

class Core:
    """A Cortex-M0+ with memories, SIO, NVIC and SysTick of an RP2040. Times are in cycles of 8 ns."""

    rom: bytearray
    ram: bytearray
    flash: bytearray
    dpram: bytearray
    xip_ram: bytearray
    interrupt_nmi_mask: int

    def __init__(self, rom: bytes, flash: bytearray, registers: Registers) -> None:
        """`flash` is used in place; its size is a power of two. Raises ValueError."""

    def reset(self) -> None: ...
    def run(self, deadline: int) -> None:
        """Run to this time, or until leave(); sleep passes at once."""

    def leave(self) -> None:
        """End run() after this instruction."""

    def set_line(self, irq: int, asserted: bool) -> None: ...
    def restart_timer(self) -> None:
        """TIMER counts from 0 now."""

    @property
    def now(self) -> int: ...
    @property
    def busy(self) -> int: ...
    @property
    def instructions(self) -> int: ...
    @property
    def is_sleeping(self) -> bool: ...
    @property
    def is_locked_up(self) -> bool: ...
    @property
    def wants_reset(self) -> bool: ...
    @property
    def registers(self) -> tuple[int, ...]: ...
    def set_register(self, index: int, value: int) -> None: ...
    @property
    def psr(self) -> int: ...
    def set_flags(self, value: int) -> None:
        """N, Z, C and V are bits 31 to 28."""

    @property
    def primask(self) -> int: ...
    @property
    def gpio_out(self) -> int: ...
    @property
    def gpio_oe(self) -> int: ...
    @property
    def qspi_out(self) -> int: ...
    @property
    def qspi_oe(self) -> int: ...
    def load(self, address: int, size: int) -> int:
        """Read as a bus master; size is 1, 2 or 4. Raises ValueError at a fault."""

    def store(self, address: int, value: int, size: int) -> None: ...
    def read(self, address: int, size: int) -> bytes:
        """Read memory. Raises ValueError where there is none."""

    def write(self, address: int, data: bytes) -> None: ...
    def watch(self, address: int, hook: Callable[[], None] | None = None) -> int: ...
    def unwatch_all(self) -> None: ...
    def watched(self, index: int) -> tuple[int, int, int, int]:
        """Return calls, cycles, cycles of the longest call, and the sum of the first arguments."""

    @property
    def lowest_sp(self) -> int: ...
    def forget_lowest_sp(self) -> None: ...
