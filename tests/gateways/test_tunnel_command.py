# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks tunnel` as a user types it: two gateways in processes, a service behind one of them."""

import contextlib
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers import complaints
from support.emulate_process import PATIENCE
from support.forks import run_ndks
from support.ports import free_port

from ndks.cli import fields
from ndks.line.services import SOCKETS

from .gateway_process import Gateway, pair
from .members import Founded, founded

TEXT = b"Meet me at noon." * 100_000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT)

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founded(tmp_path_factory.mktemp("network")) as network:
        yield network


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """The port of an HTTP server that knows of no tunnel."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ndks-") as directory:
        yield Path(directory)


@pytest.fixture
def gateways(network: Founded, web: int, short: Path) -> Iterator[tuple[Gateway, Gateway, int]]:
    a, b = network.members
    with pair(short, (a.gate, b.gate), web) as ends:
        yield ends


def get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
        return answer.read()


def test_a_page_through_a_tunnel(gateways: tuple[Gateway, Gateway, int]) -> None:
    a, b, port = gateways
    a.start()
    waiting = a.wait(lambda values: values["waits_for"] == "peer", "it waits for its peer")
    assert waiting["link"] is None
    b.start()
    assert get(port) == TEXT
    seen = [each.wait_for_link() for each in (a, b)]
    assert [values["side"] for values in seen] == ["A", "B"]
    assert seen[0]["own_words"] == seen[1]["peer"]["words"]
    assert seen[1]["own_words"] == seen[0]["peer"]["words"]
    assert seen[0]["link"]["lane"] == seen[1]["unit"]["lane"]
    assert seen[0]["bytes"]["received"] == seen[1]["bytes"]["sent"] > len(TEXT)
    for each in (a, b):
        answer = json.loads(each.ask("status", "--json").stdout)
        assert list(complaints({"tunnels": answer["tunnels"]}, fields.fields_of(fields.ANSWERS["tunnel status"]))) == []
        text = each.ask("status").stdout
        assert seen[0]["own_words"] in text
        assert "linked with lane" in text
        assert (
            f'ndks_tunnel_up{{tunnel="web",side="{each.status()["side"]}"}} 1'
            in each.ask("status", "web", "--metrics").stdout
        )
    assert list(complaints({"schema": 1} | a.said, fields.fields_of("schema " + fields.ANSWERS["tunnel run"]))) == []
    assert [each.end() for each in (b, a)] == [0, 0]
    assert a.ask("status", "web").returncode == 3
    assert a.ask("status").returncode == 0


def test_ctrl_c_ends_it(gateways: tuple[Gateway, Gateway, int]) -> None:
    a, _, _ = gateways
    a.start()
    assert a.end(signal.SIGINT) == 0
    assert "Ctrl-C ends it" in a.log


def test_a_port_of_metrics_that_is_taken(gateways: tuple[Gateway, Gateway, int], web: int) -> None:
    a, _, _ = gateways
    finished = a.ask("web", *a.words, "--metrics", web)
    assert finished.returncode == 1
    assert f"ADDRESS: cannot listen at 127.0.0.1:{web}: Address already in use. Do: name a free port" in finished.stderr


def test_it_waits_for_its_unit(network: Founded, web: int, short: Path) -> None:
    with pair(short, ("0123456789ABCDEF", network.members[1].gate), web) as (a, _, _):
        a.start()
        values = a.wait(lambda values: values["waits_for"] == "unit", "it waits for its unit")
        assert values["unit"]["present"] is False
        assert "ndks service" in values["unit"]["advice"]
        assert "waits for its unit" in a.ask("status").stdout


def test_the_state_says_why_there_is_no_link(gateways: tuple[Gateway, Gateway, int]) -> None:
    a, _, _ = gateways
    a.start()
    values = a.wait(lambda values: values["code"] == "NO_ANSWER", "nobody answers")
    assert values["state"].endswith(": Connection refused (NO_ANSWER)")
    assert "Connect call" not in values["state"]


def test_links_of_units_that_come_and_go(network: Founded, gateways: tuple[Gateway, Gateway, int], web: int) -> None:
    a, b, port = gateways
    for each in gateways[:2]:
        each.start()
    assert get(port) == TEXT
    for member, end in zip(network.members, (a, b), strict=True):
        member.control.do("cable out")
        end.wait(lambda values: not values["unit"]["present"], "the unit is away")
        assert get(port) == TEXT  # a link needs no unit
        assert "the unit is away" in end.status()["state"]
        member.control.do("cable in")
        end.wait(lambda values: values["unit"]["present"], "the unit is there")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_either_end_starts_again(gateways: tuple[Gateway, Gateway, int], number: signal.Signals) -> None:
    a, b, port = gateways
    for each in (a, b):
        each.start()
    assert get(port) == TEXT
    for each in (a, b, b, a):
        each.end(number)
        each.start()
        each.wait_for_link()
        assert get(port) == TEXT


def test_a_gateway_that_was_set_up_anew_is_refused_until_it_is_forgotten(
    gateways: tuple[Gateway, Gateway, int],
) -> None:
    a, b, port = gateways
    for each in (a, b):
        each.start()
    first = a.wait_for_link()["peer"]
    b.end()
    (b.directory / "home" / "tunnels" / "web" / "accept" / "keys.json").unlink()
    b.start()
    a.wait(lambda values: values["code"] == "PINNED_KEY", "the other key is refused")
    finished = a.ask("forget", "web", "--yes", "--json")
    assert finished.returncode == 0
    answer = json.loads(finished.stdout)
    assert list(complaints(answer, fields.fields_of("schema " + fields.ANSWERS["tunnel forget"]))) == []
    assert answer["forgotten"] == first
    assert first["words"] in finished.stderr
    assert a.wait_for_link()["peer"]["words"] == b.status()["own_words"] != first["words"]
    assert get(port) == TEXT
    a.end()
    assert a.ask("forget", "web").returncode == 2  # nobody can confirm
    assert a.ask("forget", "web", "--yes").returncode == 0
    a.start()
    assert a.wait_for_link()["peer"]["words"] == b.status()["own_words"]


def test_both_ends_with_one_home(gateways: tuple[Gateway, Gateway, int]) -> None:
    a, b, port = gateways
    b.directory = a.directory
    for each in (a, b):
        each.start()
    assert get(port) == TEXT
    a.wait_for_link()
    shown = json.loads(a.ask("status", "web", "--json").stdout)["tunnels"]
    assert [values["side"] for values in shown] == ["A", "B"]
    assert [values["peer"]["words"] for values in shown] == [values["own_words"] for values in reversed(shown)]
    assert a.ask("status").stdout == a.ask("status", "web").stdout
    refused = a.ask("forget", "web", "--yes")
    assert refused.returncode == 2
    assert "name one: --listen or --accept" in refused.stderr
    forgotten = json.loads(a.ask("forget", "web", "--accept", "--yes", "--json").stdout)["forgotten"]
    assert forgotten == shown[1]["peer"]
    a.end()
    b.end()
    a.start()
    shown = json.loads(a.ask("status", "web", "--json").stdout)["tunnels"]
    assert [values["side"] for values in shown] == ["A"]
    assert shown[0]["peer"]
    assert a.ask("forget", "web", "--listen", "--yes").returncode == 0
    assert a.ask("status", "wed").returncode == 3


def test_the_other_lane_is_refused(network: Founded, web: int, short: Path) -> None:
    a, b = network.members
    with pair(short, (a.gate, b.gate), web) as (one, other, _):
        one.words = (*one.words, "--peer", str(b.lane + 1))
        one.start()
        other.start()
        one.wait(lambda values: values["code"] == "OTHER_LANE", "the lane is refused")
        assert one.status()["link"] is None


def test_two_tunnels_of_one_name(gateways: tuple[Gateway, Gateway, int], short: Path) -> None:
    a, _, _ = gateways
    a.start()
    finished = a.ask("web", "--listen", free_port(), "--connect", "1")
    assert (finished.returncode, finished.stderr.split(":")[1].strip()) == (4, "TUNNEL_BUSY")
    other = Gateway("web", short / "other", a.words)
    finished = other.ask("web", *a.words)  # the same addresses
    assert finished.returncode == 1
    assert "cannot listen" in finished.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["web"],
        ["web", "--listen", "8000"],
        ["web", "--listen", "8000", "--to", "8000"],
        ["web", "--listen", "8000", "--connect", "h:1", "--accept", "2"],
        ["a/b", "--listen", "8000", "--connect", "h:1"],
        ["web", "--listen", "h", "--connect", "h:1"],
        ["web", "--listen", "8000", "--connect", "h:1", "--peer", "0"],
        ["web", "--listen", "8000", "--connect", "h:1", "--record", "des"],
        ["forget", "never-was", "--yes"],
        ["status", "web", "--json", "--metrics"],
    ],
    ids=" ".join,
)
def test_what_is_refused(words: list[str], short: Path) -> None:
    finished = Gateway("web", short, ()).ask(*words)
    assert (finished.returncode, finished.stdout[:5]) in ((2, ""), (2, '{"sch'), (3, '{"sch'))
    assert "Traceback" not in finished.stderr
    assert "Do: " in finished.stderr


def test_systemd_is_told(network: Founded, short: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, contextlib.ExitStack() as stack:
        systemd.bind(str(short / "notify"))
        systemd.settimeout(PATIENCE)
        a = Gateway("web", short / "a", ())
        words = ["--listen", str(free_port()), "--connect", str(free_port()), "--unit", network.members[0].gate]
        process = subprocess.Popen(
            [sys.executable, "-m", "ndks", "tunnel", "run", "web", *words],
            env=os.environ | a.environment | {"NOTIFY_SOCKET": str(short / "notify")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.kill)
        assert systemd.recv(500) == b"READY=1"
        while not (said := systemd.recv(500)).startswith(b"STATUS=waits for its peer"):
            assert said.startswith(b"STATUS=waits for its unit")  # which it has not found yet
        process.terminate()
        while (said := systemd.recv(500)) != b"STOPPING=1":
            assert said.startswith(b"STATUS=")
        assert process.wait(PATIENCE) == 0


def test_names_are_completed(gateways: tuple[Gateway, Gateway, int]) -> None:
    a, _, _ = gateways
    a.start()
    finished = run_ndks("completion", "--tunnels", timeout=PATIENCE, env=a.environment)
    assert finished.stdout.split() == ["web"]
    assert SOCKETS in a.environment
