# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The capture of the tap is readable by other programs and complete."""

import io
import socket
import subprocess
import threading
from pathlib import Path

import dpkt
import pytest

from ndks_laboratory.homologation.pcap import pcap
from ndks_laboratory.stages.relay import Relay, Segment

SEGMENTS = (
    Segment(1000.0, 4000, 5000, b"first " * 900),
    Segment(1000.5, 4000, 5000, b"second"),
    Segment(1002.0, 4001, 5001, b"back again"),
)


def reassembled(capture: bytes) -> dict[tuple[int, int], bytes]:
    """Return the bytes of each direction of each connection, reassembled by sequence numbers."""
    streams: dict[tuple[int, int], dict[int, bytes]] = {}
    for _, frame in dpkt.pcap.Reader(io.BytesIO(capture)):
        packet = dpkt.ethernet.Ethernet(frame).data.data
        if packet.data:
            streams.setdefault((packet.sport, packet.dport), {})[packet.seq] = packet.data
    for stream in streams.values():
        at = 1
        for sequence, data in sorted(stream.items()):
            assert sequence == at
            at += len(data)
    return {ports: b"".join(data for _, data in sorted(stream.items())) for ports, stream in streams.items()}


def test_every_byte_is_in_it() -> None:
    assert reassembled(pcap(SEGMENTS)) == {
        (4000, 5000): SEGMENTS[0].data + SEGMENTS[1].data,
        (4001, 5001): SEGMENTS[2].data,
    }


def test_what_a_relay_recorded() -> None:
    sent = bytes(range(256)) * 50
    with Relay(tamper=False) as relay, socket.create_connection(("127.0.0.1", relay.port)) as receiver:
        to_receiver = relay.accept(lambda: None)
        with socket.create_connection(("127.0.0.1", relay.port)) as sender:
            thread = threading.Thread(target=sender.sendall, args=(sent,))
            from_sender = relay.accept(lambda: None)
            thread.start()
            thread.join()
        with to_receiver, from_sender:
            relay.carry(from_sender, to_receiver)
        assert receiver.makefile("rb").read() == sent
    assert list(reassembled(pcap(relay.segments)).values()) == [sent]


@pytest.mark.consumers("tshark")
def test_wireshark_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "tap.pcap"
    path.write_bytes(pcap(SEGMENTS))
    command = ["tshark", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    bad = "_ws.malformed or tcp.analysis.flags or tcp.checksum.status==0 or ip.checksum.status==0"
    finished = subprocess.run([*command, "-Y", bad], capture_output=True, text=True, timeout=600, check=True)
    assert finished.stdout == ""
    streams = subprocess.run(
        [*command, "-T", "fields", "-e", "tcp.stream"], capture_output=True, text=True, timeout=600, check=True
    )
    assert set(streams.stdout.split()) == {"0", "1"}
