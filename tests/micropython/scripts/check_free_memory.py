# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How many bytes of the heap are free beside a unit. The stand-in board, its flash and its host take their share."""

import gc

from harness import report
from memory_board import MemoryBoard
from memory_host import Host

from ndks_protocol import commands


def report_free(moment: str) -> None:
    gc.collect()
    report(moment, gc.mem_free())


def serve(host: Host) -> None:
    suite, cipher = commands.SUITES.index("hybrid"), commands.CIPHERS.index("aes")
    host.call(commands.PROVISION, 0, 1, suite, cipher, 12, bytes(32), "test", "0.52", "25")
    host.call(commands.KEY_CHUNK, 0, 1, 0, commands.MAX_CHUNK)
    host.call(commands.ACKNOWLEDGE, 0, 1, 0)


host = Host(MemoryBoard())
report_free("started")
serve(host)
report_free("served")
