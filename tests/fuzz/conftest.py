# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Settings of the fuzz tests: fast garbage collections."""

import pytest

from fuzz.fuzzing import quick_collections

pytest.fixture(scope="module", autouse=True)(quick_collections)
