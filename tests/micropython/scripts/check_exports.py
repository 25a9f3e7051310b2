# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check of the exported keys of suite.json, as a unit returns them."""

from harness import expect, run
from memory_board import MemoryBoard
from memory_host import BINDING, Host

from ndks_protocol import wire


def check_export(case: dict) -> None:
    host = Host(MemoryBoard())
    secret = bytes.fromhex(case["secret"])
    vernam = wire.CIPHERS.index("vernam")
    parameters = secret, "test", case["p1"], case["p2"], 0, 0
    host.call(wire.PROVISION, BINDING, 0, 1, case["suite"], vernam, case["d"], *parameters)
    expected = bytes.fromhex(case["bytes"])
    expect(host.call(wire.KEY_CHUNK, 0, case["k"], 0, len(expected)), (expected,))


run({"export": check_export})
