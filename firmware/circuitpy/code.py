# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
from ndks_unit.fast_bits import tables

tables.read_early(tables.FOLDER)  # while the heap still has a contiguous block of 16 KB

from ndks_unit import main  # noqa: E402 (see above)

main.run()
