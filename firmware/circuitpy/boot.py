# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# pyright: basic, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false
# (the stubs know neither the pins of this board nor that DigitalInOut is a context manager)

# CircuitPython runs this file once after a hard reset, before USB starts. It writes nothing: a power cut at this moment
# must not damage a file.
import board
import digitalio
import storage
import supervisor
import usb_cdc
import usb_hid
import usb_midi

# A jumper from GP2 (pin 4) to ground (pin 3) at start enables the console and the drive.
with digitalio.DigitalInOut(board.GP2) as jumper:
    jumper.switch_to_input(digitalio.Pull.UP)
    development = not jumper.value

supervisor.set_usb_identification("NDKS", "NDKS unit")  # CircuitPython derives the serial number from the uid
usb_hid.disable()
usb_midi.disable()
usb_cdc.enable(console=development, data=True)
if not development:
    storage.disable_usb_drive()
