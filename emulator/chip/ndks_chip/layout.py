# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where CircuitPython keeps what in the flash of a Raspberry Pi Pico."""

import re

FLASH_SIZE = 0x200000
NVM_AT = 0xFF000  # the firmware lies below it
DRIVE_AT = 0x100000  # to the end

_VERSION = re.compile(rb"Adafruit CircuitPython \d[\x20-\x7e]* with [\x20-\x7e]+")


def version_of(flash: bytes | bytearray) -> str:
    """Return the line about itself that CircuitPython writes to boot_out.txt, "" if this firmware has none."""
    found = _VERSION.search(bytes(flash[:NVM_AT]))
    return found[0].decode("ascii") if found else ""
