# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A tap: records what passes an interface of this network namespace into a pcap file, until its stdin is closed.

python -m ndks_laboratory.gateways.tap INTERFACE FILE      prints a line once it records; at its end, what it lost

The kernel puts packets into a ring that it shares with this process (packet(7), TPACKET_V3): a socket's own buffer
holds only a few of the large packets that veth passes.
"""

import json
import mmap
import select
import socket
import struct
import sys
import time
from pathlib import Path
from typing import BinaryIO

_ALL = 3  # ETH_P_ALL
_PACKET = 263  # SOL_PACKET; this and the next four: linux/if_packet.h
_RING, _STATISTICS, _VERSION, _IGNORE_OUTGOING = 5, 6, 10, 23
_V3 = 2
_BLOCK, _BLOCKS = 1 << 20, 64  # bytes
_FRAME = 1 << 11  # bytes; the kernel wants a divisor of the block size, and uses it for nothing else
_RETIRE = 20  # milliseconds until a block that is not full is handed over
_OURS = 1  # TP_STATUS_USER
_BLOCK_HEADER = struct.Struct("=IIIII")  # version, private, status, packets, offset of the first packet
_PACKET_HEADER = struct.Struct("=IIIIIIH")  # next, seconds, nanoseconds, kept, length, status, offset of its bytes
_STATUS = 8  # offset in a block

_PCAP = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)  # times in nanoseconds; Ethernet
_PCAP_PACKET = struct.Struct("=IIII")  # seconds, nanoseconds, kept, length


class Tap:
    """Records an interface; for the loopback, which shows each packet twice, only what comes in."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # 0: nothing yet
        self._socket.setsockopt(_PACKET, _VERSION, _V3)
        ring = _BLOCK, _BLOCKS, _FRAME, _BLOCK * _BLOCKS // _FRAME, _RETIRE, 0, 0
        self._socket.setsockopt(_PACKET, _RING, struct.pack("=7I", *ring))
        self._ring = mmap.mmap(self._socket.fileno(), _BLOCK * _BLOCKS)
        if interface == "lo":
            self._socket.setsockopt(_PACKET, _IGNORE_OUTGOING, 1)
        self._socket.bind((interface, _ALL))
        self._next = 0

    def record(self, file: BinaryIO) -> None:
        """Record until stdin is closed, and what passed before that."""
        file.write(_PCAP)
        while sys.stdin not in select.select([self._socket, sys.stdin], [], [])[0]:
            self._take(file)
        time.sleep(_RETIRE * 3e-3)
        self._take(file)

    def lost(self) -> int:
        """Return how many packets did not fit into the ring."""
        return struct.unpack("=III", self._socket.getsockopt(_PACKET, _STATISTICS, 12))[1]

    def _take(self, file: BinaryIO) -> None:
        while True:
            at = self._next * _BLOCK
            _, _, status, packets, first = _BLOCK_HEADER.unpack_from(self._ring, at)
            if not status & _OURS:
                return
            at += first
            for _ in range(packets):
                following, seconds, nanoseconds, kept, length, _, offset = _PACKET_HEADER.unpack_from(self._ring, at)
                file.write(_PCAP_PACKET.pack(seconds, nanoseconds, kept, length))
                file.write(self._ring[at + offset : at + offset + kept])
                at += following
            struct.pack_into("=I", self._ring, self._next * _BLOCK + _STATUS, 0)
            self._next = (self._next + 1) % _BLOCKS


def main(interface: str, file: str) -> None:
    tap = Tap(interface)
    with Path(file).open("wb") as pcap:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        tap.record(pcap)
    sys.stdout.write(json.dumps({"lost": tap.lost()}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
