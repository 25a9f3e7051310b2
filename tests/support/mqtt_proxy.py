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


class _End:
    """A connection, to which two threads write."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._lock = threading.Lock()

    def send(self, packets: list[Packet]) -> None:
        with self._lock:
            self.connection.sendall(b"".join(map(_encoded, packets)))

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def running(broker_port: int, of_client: Alter, of_broker: Alter = _kept) -> Iterator[int]:
    """Run a proxy on 127.0.0.1 and yield its port."""
    ends: list[_End] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    ends.extend(_connected(client, broker_port, of_client, of_broker))

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for end in ends:
        end.end()
        end.connection.close()


def _connected(client: socket.socket, broker_port: int, of_client: Alter, of_broker: Alter) -> list[_End]:
    try:
        ends = _End(client), _End(socket.create_connection(("127.0.0.1", broker_port)))
    except OSError:  # the broker is away
        client.close()
        return []
    for source, target, alter in ((*ends, of_client), (*ends[::-1], of_broker)):
        threading.Thread(target=_pass, args=(source, target, alter), daemon=True).start()
    return list(ends)


def _pass(source: _End, target: _End, alter: Alter) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            forth, back = alter(_read(source.connection))
            target.send(forth)
            source.send(back)
    source.end()
    target.end()


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
