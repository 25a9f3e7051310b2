# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two sites with two gateways, each in a network namespace, and the firewalls of docs/tunnel.md.

python -m gateways.firewalls GATE_A GATE_B DIRECTORY, in a cage: it prints what an application reached, as JSON.
"""

import contextlib
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tunnel.md"
SECONDS = 300  # only against a hang
PATIENCE = 60  # seconds for what arrives
_SILENCE = 5  # seconds after which nothing arrives
TEXT = b"Meet me at noon."
SERVICE = "10.2.0.5", 80  # as the page has it
ENTRANCE = "10.1.0.1", 8000
_HOLDER = "import sys; print(flush=True); sys.stdin.read()"
_ECHO = """
import socket, sys
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 80))
server = socket.create_server(("0.0.0.0", 80))
print(flush=True)
import threading
def datagrams():
    while True:
        data, where = udp.recvfrom(2000)
        udp.sendto(data, where)
threading.Thread(target=datagrams, daemon=True).start()
while True:
    connection, _ = server.accept()
    while data := connection.recv(2000):
        connection.sendall(data)
"""


def rules() -> tuple[str, str]:
    """Return the files of A and B."""
    a, b = re.findall(r"^```nft\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return a, b


def addresses() -> tuple[list[str], list[str]]:
    """Return the options of A and B as the page has them before the files."""
    words = re.findall(r"^For [AB], started with `([^`]+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    a, b = (each.split() for each in words)
    return a, b


class Place:
    """A network namespace."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        command = ["unshare", "--net", sys.executable, "-c", _HOLDER]
        self._stack = stack
        self._holder = self.start(command, inside=False)
        self._prefix = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words: str, text: str = "") -> None:
        subprocess.run([*self._prefix, *words], input=text, text=True, check=True, timeout=SECONDS)

    def start(self, command: list[str], *, inside: bool = True, **options: object) -> "subprocess.Popen[str]":
        """Run a program until the end, and return when it has said its first line."""
        words = [*self._prefix, *command] if inside else command
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = self._stack.enter_context(subprocess.Popen(words, **pipes, **options))  # type: ignore[call-overload]
        self._stack.callback(process.kill)
        assert process.stdout
        assert process.stdout.readline(), words
        return process

    def cable(self, name: str, address: str, other: "Place", there: str, other_address: str) -> None:
        ends = "peer", "name", there, "netns", str(other._holder.pid)
        self.run("ip", "link", "add", "name", name, "type", "veth", *ends)
        for place, interface, where in ((self, name, address), (other, there, other_address)):
            place.run("ip", "address", "add", f"{where}/24", "dev", interface)
            place.run("ip", "link", "set", interface, "up")

    def route(self, through: str) -> None:
        self.run("ip", "route", "add", "default", "via", through)

    def reached(self, where: tuple[str, int], kind: str, patience: int = _SILENCE) -> str:
        """Return what becomes of a text that an application here sends: "echo", or why not."""
        words = [*self._prefix, sys.executable, __file__, "try", *map(str, where), kind, str(patience)]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.strip()


def attempt(host: str, port: str, kind: str, patience: str) -> str:
    try:
        with socket.socket(type=getattr(socket, kind)) as connection:
            connection.settimeout(int(patience))
            connection.connect((host, int(port)))
            connection.sendall(TEXT)
            return "echo" if connection.recv(2000) == TEXT else "something else"
    except OSError as error:
        return type(error).__name__ if isinstance(error, TimeoutError) else os.strerror(error.errno or 0)


@contextlib.contextmanager
def sites() -> Iterator[tuple[Place, Place, Place]]:
    """Lay the cables from an application over A and B, which forward, to a service that runs; yield the first three."""
    with contextlib.ExitStack() as stack:
        application, a, b, service = (Place(stack) for _ in range(4))
        application.cable("eth0", "10.1.0.9", a, "eth-plain", "10.1.0.1")
        a.cable("eth-line", "192.0.2.1", b, "eth-line", "192.0.2.2")
        service.cable("eth0", "10.2.0.5", b, "eth-plain", "10.2.0.1")
        for place, through in ((application, "10.1.0.1"), (a, "192.0.2.2"), (b, "192.0.2.1"), (service, "10.2.0.1")):
            place.route(through)
        for place in (a, b):
            place.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        service.start([sys.executable, "-c", _ECHO])
        yield application, a, b


def main(gate_a: str, gate_b: str, directory: Path) -> None:
    seen: dict[str, str] = {}
    with sites() as (application, a, b):
        ask = functools.partial(application.reached, SERVICE)
        seen["plain before"] = ask("SOCK_STREAM", PATIENCE)
        for place, name, text, words, gate in zip((a, b), "ab", rules(), addresses(), (gate_a, gate_b), strict=True):
            place.run("nft", "-f", "-", text=text)
            (home := directory / name).mkdir(mode=0o700)
            command = [sys.executable, "-m", "ndks", "tunnel", "run", "web", *words, "--udp", "--unit", gate]
            environment = os.environ | {"NDKS_HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
            place.start(command, env=environment, stderr=(directory / f"{name}.log").open("w"))
        seen["plain"] = ask("SOCK_STREAM")
        seen["plain from the gateway"] = a.reached(SERVICE, "SOCK_STREAM")
        seen["plain to the other gateway"] = a.reached(("192.0.2.2", 80), "SOCK_STREAM")
        seen["tunnel"] = application.reached(ENTRANCE, "SOCK_STREAM", PATIENCE)
        seen["datagram"] = application.reached(ENTRANCE, "SOCK_DGRAM", PATIENCE)
        seen["plain datagram"] = ask("SOCK_DGRAM")
    print(json.dumps(seen))


if __name__ == "__main__":
    signal.alarm(SECONDS)
    if sys.argv[1] == "try":
        print(attempt(*sys.argv[2:]))
    else:
        main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
