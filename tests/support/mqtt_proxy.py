# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A bad broker: a proxy before a Mosquitto that delivers each message twice, or drops what is to be retained.

MQTT 5 (OASIS 2019): section 2.1 is the fixed header, 3.3 PUBLISH, 3.4 PUBACK.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

_PUBLISH, _PUBACK = 3, 4
_RETAIN, _QOS, _DUPLICATE = 1, 6, 8  # flags of PUBLISH

Packet = tuple[int, bytes]  # first byte, and what follows the length
Alter = Callable[[Packet], tuple[list[Packet], list[Packet]]]  # a client's packet: to the broker, and back


def doubled(packet: Packet) -> tuple[list[Packet], list[Packet]]:
    """Pass each PUBLISH twice."""
    first, rest = packet
    is_doubled = first >> 4 == _PUBLISH and first & _QOS
    return [packet, *([(first | _DUPLICATE, rest)] if is_doubled else [])], []


def swallowed(packet: Packet) -> tuple[list[Packet], list[Packet]]:
    """Acknowledge what is to be retained, and drop it."""
    first, rest = packet
    if first >> 4 != _PUBLISH or not first & _RETAIN:
        return [packet], []
    (size,) = struct.unpack_from(">H", rest)
    return [], [(_PUBACK << 4, rest[2 + size : 4 + size])]


def _kept(packet: Packet) -> tuple[list[Packet], list[Packet]]:
    return [packet], []


@contextlib.contextmanager
def running(broker_port: int, of_client: Alter, of_broker: Alter = _kept) -> Iterator[int]:
    """Run a proxy on 127.0.0.1 and yield its port."""
    open_sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=_accept, args=(listener, broker_port, of_client, of_broker, open_sockets), daemon=True
        ).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for each in open_sockets:
        each.close()


def _accept(
    listener: socket.socket, broker_port: int, of_client: Alter, of_broker: Alter, opened: list[socket.socket]
) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            try:
                broker = socket.create_connection(("127.0.0.1", broker_port))
            except OSError:
                client.close()
                continue
            opened += [client, broker]
            for source, target, alter in ((client, broker, of_client), (broker, client, of_broker)):
                threading.Thread(target=_pass, args=(source, target, alter), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, alter: Alter) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            forth, back = alter(_read(source))
            for packets, to in ((forth, target), (back, source)):
                to.sendall(b"".join(map(_encoded, packets)))
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _read(source: socket.socket) -> Packet:
    first = _exactly(source, 1)[0]
    size = shift = 0
    while True:
        byte = _exactly(source, 1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, _exactly(source, size)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = source.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _encoded(packet: Packet) -> bytes:
    first, rest = packet
    size, length = len(rest), bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((first,)) + length + rest
