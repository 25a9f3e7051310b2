# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Free heap beside a unit. The model of the board, its flash and its host also use the heap."""

import gc
import sys

from harness import report
from memory_board import MemoryBoard
from memory_host import SECRET, Host

from ndks_protocol import wire
from ndks_protocol.capsule import FIRST_PIECE, Header, HeaderKeys, header_keys

NEW_BINDING = bytes(range(32))
OPERATORS = [int(number) for number in sys.argv[1:]]
SUITE = wire.SUITES.index("hybrid")


def report_free(moment: str) -> None:
    gc.collect()
    report(moment, gc.mem_free())


def give_key(host: Host) -> None:
    host.call(wire.KEY_CHUNK, 0, 1, 0, wire.MAX_CHUNK)
    host.call(wire.ACKNOWLEDGE, 0, 1, 0)


def seal(host: Host) -> None:
    for token in (b"message1", b"message2"):
        host.call(wire.SEAL_BEGIN, token, wire.VERNAM, wire.DATA, bytes(8))
        host.call(wire.SEAL_CHUNK, token, 0, 1, bytes(FIRST_PIECE))


def open_keys(host: Host) -> None:
    """Open a message of each sender, up to the maximum number of senders."""
    protection = HeaderKeys(host.board, header_keys(host.board, SECRET))
    for lane in range(2, 2 + wire.MAX_SENDERS):
        host.call(wire.TRUST, lane, bytes(range(16)))
        header = protection.mask(Header.new(SUITE, wire.VERNAM, lane, 1, bytes(8)))
        handle = host.call(wire.OPEN_KEYS, header, 0)[0]
        host.call(wire.MESSAGE_STREAM, handle, 0, wire.MAX_CHUNK)
        host.call(wire.ACCEPT, header, 0)


host = Host(MemoryBoard())
report_free("blank")
host.provision(operators=OPERATORS)
report_free("provisioned")
host.open_session()
report_free("unlocked")
give_key(host)
seal(host)
open_keys(host)
report_free("served")
host.call(wire.BIND, NEW_BINDING)
report_free("bound")
host.close()
report_free("locked")
host.restart()
host.open_session(NEW_BINDING)
report_free("restarted")
