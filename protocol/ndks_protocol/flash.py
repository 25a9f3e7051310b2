# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a unit keeps its state (PROTOCOL.md section 7): `ndks deploy` and the unit agree on it here."""

NVM_SIZE = 4096  # one flash sector
SNAPSHOT_SIZE = NVM_SIZE
# On a board a snapshot has the middle of its file: an erase block of 4 KB that holds a part of it lies within the file,
# and a power cut while it is written costs nobody else's data.
SNAPSHOT_AT = NVM_SIZE
SNAPSHOT_FILE_SIZE = SNAPSHOT_AT + SNAPSHOT_SIZE + NVM_SIZE
SNAPSHOT_FILES = ("ndks_state_0.bin", "ndks_state_1.bin")  # in the root of the drive, never deleted or truncated
