# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# pyright: basic, reportMissingModuleSource=false

# CircuitPython runs this file instead of code.py after a hard fault, a brown-out or a failed start. It resets the unit.
# If the user has held BOOTSEL to request safe mode, the board stays in safe mode.
import time

import microcontroller
import supervisor

if supervisor.runtime.safe_mode_reason != supervisor.SafeModeReason.USER:
    time.sleep(1)  # even with a fault at every start, the host sees the drive for a moment
    microcontroller.reset()
