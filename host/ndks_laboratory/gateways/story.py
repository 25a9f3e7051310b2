# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The story: a page, lines and a file cross the tunnel; the cable is pulled; the taps are read."""

import hashlib
import json
import os
import socket
import statistics
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times
from ndks_laboratory.networks.laptop import Laptop, wait_until
from ndks_laboratory.outcome import Check, Outcome

from .namespaces import CABLE, THERE, Cable
from .recordings import Found, search
from .site import Site
from .users import Download, Session

SIZE = 200_000_000  # bytes of the file
_RATE = 80e6  # bytes a second at most, so that there is time to pull the cable, and no tap loses a packet
_BEFORE = SIZE // 10  # bytes that have arrived when the cable is pulled
_WEB, _SHELL = 8000, 2222  # ports, the same at both sites
_LINKS = {"web": 7701, "shell": 7702}  # ports of the gateways that accept
_LINES = 20
_PAGE = "The contract: the price is 4,711 pieces of gold, and nobody may know it."
_MARK = b"This line stands in the file once in each million bytes."
_MILLION = 1_000_000


class Story:
    """The story's steps, each of which returns whether what its name says holds, and perhaps a figure."""

    def __init__(self, directory: Path, cable: Cable, tell: Callable[[str], object]) -> None:
        self._directory = directory
        self._cable = cable
        self._tell = tell
        self._here, self._there = Site("alice", directory / "alice"), Site("bob", directory / "bob", cable.there)
        self._office = Laptop("office", directory / "office")
        self._taps: dict[str, subprocess.Popen[str]] = {}
        self._session: Session | None = None
        self._file: Download | None = None
        self._full = 0
        self._sum = hashlib.sha256()
        self._typed = [f"order {number}: sell at {number * 7 + 3} and tell nobody" for number in range(_LINES)]

    def run(self) -> list[Check]:
        """Tell the story; after a step that failed, the rest is not shown."""
        checks: list[Check] = []
        failed = False
        try:
            for name, step in self._steps():
                outcome = Outcome.not_shown("a step before it failed") if failed else _outcome(step)
                failed = failed or outcome.in_json is not True
                checks.append(Check(name, outcome))
                self._tell(checks[-1].line())
        finally:
            if self._session:
                self._session.close()
            for site in (self._here, self._there):
                site.kill()
        return checks

    def _steps(self) -> Sequence[tuple[str, Callable[[], Outcome]]]:
        return (
            ("two gateways, each with a unit, find each other: two tunnels are up", self._start),
            ("curl fetches a page of a server at the other site", self._fetch),
            ("lines that are typed are answered one by one", self._type),
            ("the cable is pulled in the midst of a file of 200 MB: both gateways notice", self._pull),
            ("it is plugged in: a line that was typed meanwhile is answered", self._plug_in),
            ("the file comes on, and is the one that was sent", self._complete),
            ("for the new link no unit was asked", self._resumed),
            ("a stranger who knocks at the gateway hears nothing but its hello", self._knock),
            ("the tap on the plain side has the page, each line and the file", self._plain_side),
            ("the tap on the cable has all that passed, and none of them", self._wire),
        )

    def _start(self) -> Outcome:
        network = self._directory / "office.ndksnet"
        self._office.type("network", "new", "office", "-o", network)
        for name, interface in (("cable", CABLE), ("plain", "lo")):
            words = "-m", "ndks_laboratory.gateways.tap", interface, self._pcap(name)
            self._taps[name] = self._here.run(f"tap {name}", *words)
        with ThreadPoolExecutor() as pool:
            joined = pool.map(Site.join, (self._here, self._there), (network, network))
            self._write_site()
            list(joined)
        web = "-m", "http.server", "--bind", "127.0.0.1", _WEB
        self._there.run("web server", *web, cwd=self._directory / "site")
        self._there.run("shell server", "-m", "ndks_laboratory.gateways.shell", _SHELL)
        for name, port in (("web", _WEB), ("shell", _SHELL)):
            outer = f"{THERE}:{_LINKS[name]}"
            self._there.run_tunnel(name, "--accept", outer, "--to", f"127.0.0.1:{port}")
            self._here.run_tunnel(name, "--listen", f"127.0.0.1:{port}", "--connect", outer)
        wait_until(lambda: all(map(self._is_up, _LINKS)), "both tunnels are up")
        return Outcome.held()

    def _write_site(self) -> None:
        """Write the page and the file, whose other bytes are random."""
        site = self._directory / "site"
        site.mkdir()
        (site / "page.txt").write_text(_PAGE)
        with (site / "file").open("wb") as file:
            for _ in range(SIZE // _MILLION):
                data = _MARK + os.urandom(_MILLION - len(_MARK))
                self._sum.update(data)
                file.write(data)

    def _is_up(self, name: str) -> bool:
        return all(site.tunnel(name)["link"] for site in (self._here, self._there))

    def _fetch(self) -> Outcome:
        page = Download(f"http://127.0.0.1:{_WEB}/page.txt")
        page.finish()
        return Outcome.of(page.start == _PAGE.encode())

    def _type(self) -> Outcome:
        self._session = Session(_SHELL)
        answers = [self._session.says(line) for line in self._typed]
        median = statistics.median(self._session.waits) * 1e3
        return Outcome.of(answers == [f"you typed: {line}" for line in self._typed], f"{median:.1f} ms each")

    def _pull(self) -> Outcome:
        self._full = self._here.tunnel("web")["handshakes"]["full"]
        file = self._file = Download(f"http://127.0.0.1:{_WEB}/file", _RATE)
        wait_until(lambda: file.octets > _BEFORE, "a tenth of the file has come")
        self._cable.pull()
        sites = self._here, self._there
        wait_until(lambda: not any(site.tunnel("web")["link"] for site in sites), "both gateways notice")
        return Outcome.of(file.octets < SIZE, f"{file.octets / 1e6:.0f} MB have come")

    def _plug_in(self) -> Outcome:
        assert self._session
        self._session.type("order 99: keep silent")
        self._typed.append("order 99: keep silent")
        self._cable.plug_in()
        return Outcome.of(self._session.answer() == f"you typed: {self._typed[-1]}")

    def _complete(self) -> Outcome:
        assert self._file
        got = self._file.finish()
        return Outcome.of(got == self._sum.hexdigest(), f"{self._file.octets:,} bytes")

    def _resumed(self) -> Outcome:
        made = self._here.tunnel("web")["handshakes"]
        text = f"full handshakes: {made['full']}, resumed: {made['resumed']}"
        return Outcome.of(made["full"] == self._full and made["resumed"] > 0, text)

    def _knock(self) -> Outcome:
        heard = b""
        with socket.create_connection((THERE, _LINKS["web"]), times.NETWORK) as line, suppress(ConnectionError):
            line.sendall(os.urandom(1 << 10))
            while data := line.recv(1 << 10):
                heard += data
        return Outcome.of(len(heard) <= 21, f"{len(heard)} bytes")

    def _texts(self) -> list[bytes]:
        return [_PAGE.encode(), _MARK, b"GET /page.txt", b"GET /file", *(line.encode() for line in self._typed)]

    def _plain_side(self) -> Outcome:
        found = self._read("plain")
        missing = [text for text in self._texts() if text not in found.texts]
        return Outcome.of(not missing, f"{len(found.texts)} texts found, in {found.octets / 1e6:.0f} MB")

    def _wire(self) -> Outcome:
        found = self._read("cable")
        whole = found.octets > SIZE
        return Outcome.of(whole and not found.texts, f"{len(found.texts)} texts found, in {found.octets / 1e6:.0f} MB")

    def _read(self, name: str) -> Found:
        """Return what a tap has recorded. CheckFailed: it has lost packets."""
        output, _ = self._taps[name].communicate(timeout=times.NETWORK)
        lost, found = json.loads(output)["lost"], search(self._pcap(name), self._texts())
        if lost or found.truncated:
            raise CheckFailed(
                f"the tap on the {name} has lost {lost} packets", "repeat it on a computer with less to do"
            )
        return found

    def _pcap(self, name: str) -> Path:
        return self._directory / f"{name}.pcap"


def _outcome(step: Callable[[], Outcome]) -> Outcome:
    try:
        return step()
    except NdksError as error:
        return Outcome.failed(str(error))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Outcome.failed(str(error))
