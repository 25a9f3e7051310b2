# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# pyright: basic, reportMissingModuleSource=false

# Runs instead of code.py after a hard fault, a brown-out or a bad start: the unit starts again, as it would after
# being plugged in. Not when somebody has held BOOTSEL for it: that is the way to a board that does nothing else.
import time

import microcontroller
import supervisor

if supervisor.runtime.safe_mode_reason != supervisor.SafeModeReason.USER:
    time.sleep(1)  # so that a fault at each start does not keep the host from seeing the drive at all
    microcontroller.reset()
