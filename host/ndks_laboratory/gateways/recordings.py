# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a tap has recorded: which texts occur in it."""

import mmap
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_FILE_HEADER = 24  # bytes
_PACKET = struct.Struct("=IIII")  # seconds, nanoseconds, kept, length
_ETHERNET, _IP_PROTOCOL, _IP_ADDRESSES, _TCP_OFFSET = 14, 23, 26, 12  # offsets; the last in the TCP header
_IPV4, _TCP = b"\x08\x00", 6


class Found(NamedTuple):
    texts: set[bytes]  # those that occur in it
    octets: int  # bytes of all packets, with their headers
    truncated: int  # packets that were not recorded in full


def search(pcap: Path, texts: Sequence[bytes]) -> Found:
    """Look for texts in every packet, and across the packets of each direction of a TCP connection."""
    found: set[bytes] = set()
    ends: dict[bytes, bytes] = {}  # the end of what passed in each direction
    longest = max(map(len, texts)) - 1
    octets = truncated = 0
    for packet, length in _packets(pcap):
        octets += length
        truncated += len(packet) < length
        flow, data = _payload(packet)
        data = ends.get(flow, b"") + data
        ends[flow] = data[-longest:]
        found |= {text for text in texts if text not in found and text in data}
    return Found(found, octets, truncated)


def _packets(pcap: Path) -> Iterator[tuple[bytes, int]]:
    with pcap.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        at = _FILE_HEADER
        while at < len(data):
            _, _, kept, length = _PACKET.unpack_from(data, at)
            at += _PACKET.size
            yield data[at : at + kept], length
            at += kept


def _payload(packet: bytes) -> tuple[bytes, bytes]:
    """Return what names a direction of a TCP connection, and its bytes; for other packets, all bytes."""
    if packet[_ETHERNET - 2 : _ETHERNET] != _IPV4 or packet[_IP_PROTOCOL] != _TCP:
        return b"", packet
    tcp = _ETHERNET + (packet[_ETHERNET] & 15) * 4
    flow = packet[_IP_ADDRESSES : _IP_ADDRESSES + 8] + packet[tcp : tcp + 4]
    return flow, packet[tcp + (packet[tcp + _TCP_OFFSET] >> 4) * 4 :]
