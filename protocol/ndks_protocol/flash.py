# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a unit keeps its state (PROTOCOL.md section 7): `ndks deploy` and the unit agree on it here."""

NVM_SIZE = 4096  # one flash sector
SNAPSHOT_SIZE = NVM_SIZE
SNAPSHOT_FILES = ("ndks_state_0.bin", "ndks_state_1.bin")  # in the root of the drive, never deleted or truncated
