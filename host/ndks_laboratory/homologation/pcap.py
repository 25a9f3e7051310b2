# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Export of the tap's record to a pcap file for Wireshark.

The tap is a relay, which sees data and times but no packets. So the packet headers are synthetic, with one conversation
per batch.
"""

import io
import itertools
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import dpkt  # pyright: ignore[reportMissingTypeStubs]

from ndks.whole_file import whole_file
from ndks_laboratory.stages.relay import Segment

from .plan import PCAP

_ADDRESS = socket.inet_aton("127.0.0.1")
_NO_MAC = bytes(6)
_WINDOW = 65535
_SIZE = 1460  # bytes of data in a packet, as on Ethernet
_SYN, _ACK, _FIN, _PUSH = 0x02, 0x10, 0x01, 0x08


def write_pcap(directory: Path, segments: Sequence[Segment]) -> None:
    """Write the record into a directory. OSError, FileError."""
    with whole_file(directory / PCAP, private=False) as file:
        file.write(pcap(segments))


def pcap(segments: Sequence[Segment]) -> bytes:
    """Return the pcap file: linktype Ethernet, IPv4, TCP with handshakes, and the times of the tap."""
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file)
    for (sender, receiver), conversation in itertools.groupby(segments, lambda s: (s.sender_port, s.receiver_port)):
        for time, packet in _packets(sender, receiver, list(conversation)):
            writer.writepkt(packet, time)  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()


def _packets(sender: int, receiver: int, segments: Sequence[Segment]) -> Iterator[tuple[float, bytes]]:
    start, end = segments[0].time, segments[-1].time
    sent = 1  # relative to an initial sequence number of 0, after the SYN
    yield start, _packet(sender, receiver, 0, 0, _SYN)
    yield start, _packet(receiver, sender, 0, 1, _SYN | _ACK)
    yield start, _packet(sender, receiver, 1, 1, _ACK)
    for segment in segments:
        for at in range(0, len(segment.data), _SIZE):
            data = segment.data[at : at + _SIZE]
            yield segment.time, _packet(sender, receiver, sent, 1, _ACK | _PUSH, data)
            sent += len(data)
        yield segment.time, _packet(receiver, sender, 1, sent, _ACK)
    yield end, _packet(sender, receiver, sent, 1, _FIN | _ACK)
    yield end, _packet(receiver, sender, 1, sent + 1, _FIN | _ACK)
    yield end, _packet(sender, receiver, sent + 1, 2, _ACK)


def _packet(source: int, target: int, sequence: int, acknowledged: int, flags: int, data: bytes = b"") -> bytes:
    tcp = dpkt.tcp.TCP(sport=source, dport=target, seq=sequence, ack=acknowledged, flags=flags, win=_WINDOW)
    tcp.data = data
    ip = dpkt.ip.IP(src=_ADDRESS, dst=_ADDRESS, p=dpkt.ip.IP_PROTO_TCP, ttl=64, data=tcp)
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(src=_NO_MAC, dst=_NO_MAC, data=ip))
