# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
from ndks_unit import main

main.run()
