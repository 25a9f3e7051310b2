# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What tests of opening messages share: lanes, and the commands, modes and ciphers that they go through."""

import pytest

from ndks_protocol import commands
from ndks_protocol.commands import AES, VERNAM

OWN_LANE = 1
SENDER = 2
OPENING = [commands.OPEN_BEGIN, commands.OPEN_KEYS]
modes = pytest.mark.parametrize("mode", ["a", "b"])
ciphers = pytest.mark.parametrize("cipher", [VERNAM, AES], ids=commands.CIPHERS)
