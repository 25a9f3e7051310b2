# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A Raspberry Pi Pico that is plugged into this process."""

import secrets
from collections.abc import Callable

from ndks_chip.flash import Flash
from ndks_chip.microcontroller import CYCLE_NS, Microcontroller
from ndks_chip.usb.host import UsbHost
from ndks_chip.watch import Watch

_HAD_POWER_ON, _HAD_RUN = 1 << 8, 1 << 16  # CHIP_RESET (RP2040 datasheet, 2.12.8)
_WATCHDOG_CTRL = 0x00


class Chip:
    """Time is virtual: it passes in run() only. One thread at a time may use a chip."""

    def __init__(
        self,
        flash: bytearray,
        *,
        uid: bytes,
        entropy: Callable[[int], int] | None = None,
        on_flash: Callable[[int, int], None] | None = None,
    ) -> None:
        """Power on.

        `flash` is the chip's flash of 2 MiB, which the chip changes in place. `on_flash(offset, size)` is called after
        each page that was programmed and each sector or block that was erased. `uid` are the 8 bytes of the flash
        chip's id. `entropy(n)` returns n random bits: the chip's oscillator; by default those of this computer.
        """
        self._mcu = Microcontroller(flash, Flash(flash, uid, on_flash), entropy or secrets.randbits)
        devices = self._mcu.peripherals
        self._host = UsbHost(devices.usb, self._mcu.clock)
        self.console, self.data = self._host.console, self._host.data
        devices.watchdog.on_watchdog_trigger = self._watchdog_triggered
        self._watchdog_resets = False
        self._is_stopped = False
        self.resets = 0

    # Time

    def run(self, nanoseconds: float) -> bool:
        """Run for this virtual time, or until stop(); time that the chip spends waiting passes at once.

        Return whether the chip waits for an interrupt now.
        """
        self._is_stopped = False
        deadline = self._mcu.core.now + max(1, round(nanoseconds / CYCLE_NS))
        while self._mcu.core.now < deadline and not self._is_stopped:
            self._mcu.run(deadline)
            if self._watchdog_resets or self._mcu.core.wants_reset:
                self._reset_by_watchdog()
        return self._mcu.core.is_sleeping

    def stop(self) -> None:
        """End run() soon; for callbacks."""
        self._is_stopped = True
        self._mcu.core.leave()

    @property
    def nanoseconds(self) -> int:
        """Virtual time since power-on."""
        return self._mcu.core.now * CYCLE_NS

    @property
    def busy_cycles(self) -> int:
        """Cycles of 8 ns in which the core did not wait for an interrupt."""
        return self._mcu.core.busy

    # Resets and pins

    def reset(self) -> None:
        """Press the reset button, the pin RUN."""
        self._reset(_HAD_RUN)
        self._mcu.peripherals.watchdog.reset()

    def power_cycle(self) -> None:
        """Unplug and plug in again: what is in RAM is lost. Virtual time goes on."""
        self._mcu.core.ram[:] = bytes(len(self._mcu.core.ram))
        self._reset(_HAD_POWER_ON)
        self._mcu.peripherals.watchdog.reset()

    @property
    def is_in_boot_rom(self) -> bool:
        """The chip waits for an image, as after BOOTSEL or a reset to the boot loader."""
        return self._host.is_boot_rom

    @property
    def is_locked_up(self) -> bool:
        """A fault while it handled a fault has stopped the core, until a reset."""
        return self._mcu.core.is_locked_up

    def set_pin(self, number: int, level: bool | None) -> None:
        """Hold pin GP`number` high or low from outside; None lets go of it."""
        pin = self._mcu.gpio[number]
        if level is None:
            pin.release_input()
        else:
            pin.set_input_value(level)

    def set_bootsel(self, pressed: bool) -> None:
        """Press the button BOOTSEL, which pulls down the flash chip's select line."""
        pin = self._mcu.qspi[1]
        if pressed:
            pin.set_input_value(False)
        else:
            pin.release_input()

    def on_uart(self, callback: Callable[[int], None]) -> None:
        """Call with each byte that UART0 sends."""
        self._mcu.peripherals.uart[0].on_byte = callback

    # Instruments

    def watch(self, address: int, on_call: Callable[[], None] | None = None) -> Watch:
        """Count the calls of the function at this address from now on; `on_call` may read registers and memory."""
        return Watch(self._mcu.core, self._mcu.core.watch(address, on_call))

    def unwatch_all(self) -> None:
        self._mcu.core.unwatch_all()

    @property
    def registers(self) -> tuple[int, ...]:
        """r0 to r15. In `on_call`, r15 is not up to date."""
        return self._mcu.core.registers

    @property
    def lowest_sp(self) -> int:
        """The lowest value of the stack pointer since forget_lowest_sp()."""
        return self._mcu.core.lowest_sp

    def forget_lowest_sp(self) -> None:
        self._mcu.core.forget_lowest_sp()

    def read(self, address: int, size: int) -> bytes:
        """Read memory: RAM, flash, boot ROM. Raises ValueError where there is none."""
        return self._mcu.core.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Write RAM. Raises ValueError where there is none."""
        self._mcu.core.write(address, data)

    # How it resets

    def _watchdog_triggered(self) -> None:
        self._watchdog_resets = True
        self._mcu.core.leave()

    def _reset_by_watchdog(self) -> None:
        """The watchdog's block is not reset: the boot ROM and the image read there why they start."""
        self._watchdog_resets = False
        self._reset(None)

    def _reset(self, cause: int | None) -> None:
        self.resets += 1
        self._host.detach()
        self._mcu.reset()
        # Silicon clears CTRL.ENABLE at each reset; rp2040py does not, and would reset the chip again.
        self._mcu.peripherals.watchdog.write_uint32(_WATCHDOG_CTRL, 0)
        if cause is not None:
            self._mcu.peripherals.chip_reset.record_reset_cause(cause)
