# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The peripherals of the RP2040 (datasheet, 2.2), most of them rp2040py's, by address."""

from typing import Any

from rp2040py.irq import IRQ
from rp2040py.peripherals.adc import RPADC
from rp2040py.peripherals.busctrl import RPBUSCTRL
from rp2040py.peripherals.clocks import RPClocks
from rp2040py.peripherals.dma import DREQChannel
from rp2040py.peripherals.i2c import RPI2C
from rp2040py.peripherals.io import RPIO
from rp2040py.peripherals.pads import RPPADS
from rp2040py.peripherals.peripheral import UnimplementedPeripheral
from rp2040py.peripherals.psm import RPPSM
from rp2040py.peripherals.reset import RPReset
from rp2040py.peripherals.rtc import RP2040RTC
from rp2040py.peripherals.spi import RPSPI, ISPIDMAChannels
from rp2040py.peripherals.syscfg import RP2040SysCfg
from rp2040py.peripherals.sysinfo import RP2040SysInfo
from rp2040py.peripherals.tbman import RPTBMAN
from rp2040py.peripherals.uart import RPUART, IUARTDMAChannels
from rp2040py.peripherals.usb import RPUSBController
from rp2040py.peripherals.vreg_and_chip_reset import RPVREGAndChipReset
from rp2040py.peripherals.watchdog import RPWatchdog
from rp2040py.peripherals.xip_ctrl import RPXIPCtrl
from rp2040py.peripherals.xosc import RPXOSC

from ndks_chip.rosc import Rosc
from ndks_chip.ssi import Ssi
from ndks_chip.timer import Timer


class Peripherals:
    def __init__(self, chip: Any, ssi: Ssi, rosc: Rosc) -> None:
        self.timer = Timer(chip)
        self.usb = RPUSBController(chip, "USB")
        self.watchdog = RPWatchdog(chip, "WATCHDOG")
        self.chip_reset = RPVREGAndChipReset(chip, "VREG_AND_CHIP_RESET")
        self.uart = [
            RPUART(chip, "UART0", IRQ.UART0, IUARTDMAChannels(DREQChannel.DREQ_UART0_RX, DREQChannel.DREQ_UART0_TX)),
            RPUART(chip, "UART1", IRQ.UART1, IUARTDMAChannels(DREQChannel.DREQ_UART1_RX, DREQChannel.DREQ_UART1_TX)),
        ]
        self._by_page: dict[int, Any] = {  # address // 0x4000
            0x14000 >> 2: RPXIPCtrl(chip, "XIP_CTRL"),
            0x18000 >> 2: ssi,
            **{0x40000 >> 2 | i: device for i, device in enumerate(self._apb(chip, rosc)) if device},
            0x50000 >> 2: chip.dma,
            0x50110 >> 2: self.usb,
            0x50200 >> 2: chip.pio[0],
            0x50300 >> 2: chip.pio[1],
        }

    def _apb(self, chip: Any, rosc: Rosc) -> list[Any]:
        """Return the blocks from 0x40000000 on, one each 0x4000 bytes."""
        spi = [
            RPSPI(chip, "SPI0", IRQ.SPI0, ISPIDMAChannels(DREQChannel.DREQ_SPI0_RX, DREQChannel.DREQ_SPI0_TX)),
            RPSPI(chip, "SPI1", IRQ.SPI1, ISPIDMAChannels(DREQChannel.DREQ_SPI1_RX, DREQChannel.DREQ_SPI1_TX)),
        ]
        return [
            RP2040SysInfo(chip, "SYSINFO"),
            RP2040SysCfg(chip, "SYSCFG"),
            RPClocks(chip, "CLOCKS"),
            RPReset(chip, "RESETS"),
            RPPSM(chip, "PSM"),
            RPIO(chip, "IO_BANK0"),
            RPIO(chip, "IO_QSPI", pins=chip.qspi),
            RPPADS(chip, "PADS_BANK0", "bank0"),
            RPPADS(chip, "PADS_QSPI", "qspi"),
            RPXOSC(chip, "XOSC"),
            UnimplementedPeripheral(chip, "PLL_SYS"),  # reads as locked
            UnimplementedPeripheral(chip, "PLL_USB"),
            RPBUSCTRL(chip, "BUSCTRL"),
            *self.uart,
            *spi,
            RPI2C(chip, "I2C0", IRQ.I2C0),
            RPI2C(chip, "I2C1", IRQ.I2C1),
            RPADC(chip, "ADC"),
            chip.pwm,
            self.timer,
            self.watchdog,
            RP2040RTC(chip, "RTC"),
            rosc,
            self.chip_reset,
            None,
            RPTBMAN(chip, "TBMAN"),
        ]

    def load(self, address: int) -> int:
        return self._at(address).read_uint32(address & 0xFFF)

    def store(self, address: int, value: int) -> None:
        """Bits 12 and 13 of the address select a plain write, XOR, set or clear (RP2040 datasheet, 2.1.2)."""
        self._at(address).write_uint32_atomic(address & 0xFFF, value, address >> 12 & 3)

    def reset(self) -> None:
        for device in self._by_page.values():
            if device not in (self.watchdog, self.chip_reset):
                device.reset()

    def _at(self, address: int) -> Any:
        device = self._by_page.get(address >> 14)
        if device is None:
            raise NotImplementedError(f"the emulated chip has nothing at 0x{address:08x}")
        return device
