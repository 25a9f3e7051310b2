# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sizes and file names of a unit's state in flash (PROTOCOL.md section 7), for `ndks deploy` and the unit."""

NVM_SIZE = 4096  # one flash sector
SNAPSHOT_SIZE = NVM_SIZE
# On a board a snapshot lies in the middle of its file. Every 4 KB erase block that holds a part of it then lies within
# the file, and a power cut during a write damages no other file.
SNAPSHOT_AT = NVM_SIZE
SNAPSHOT_FILE_SIZE = SNAPSHOT_AT + SNAPSHOT_SIZE + NVM_SIZE
SNAPSHOT_FILES = ("ndks_state_0.bin", "ndks_state_1.bin")  # in the root of the drive, never deleted or truncated
