# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
import sys

from .cli import main

sys.exit(main())
