# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An emulated RP2040 with its flash, on the USB of this process: it runs an official image of CircuitPython."""

from ndks_chip.chip import Chip
from ndks_chip.uf2 import BadImage, read_uf2
from ndks_chip.usb.serial_port import SerialPort
from ndks_chip.watch import Watch

__version__ = "0.1.0"
__all__ = ["BadImage", "Chip", "SerialPort", "Watch", "read_uf2"]
