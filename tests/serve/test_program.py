# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks serve` as processes of two sites, each with an emulated unit behind its service."""

import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers import complaints
from support.emulate_process import PATIENCE, emulated, wait_until
from support.forks import run_ndks
from support.public_network import public_network
from support.serve_process import ServeProcess, served

import ndks
from ndks.cli import fields
from ndks_gateways.keys import refusals
from ndks_gateways.serving import certs

from .key_processes import SITES, KeyProcess, closing_all, ids_of, place_certificates
from .key_servers import HOST


@contextlib.contextmanager
def site(directory: Path, name: str, unit: str, **environment: str) -> Iterator[KeyProcess]:
    """Run `ndks serve` for a site."""
    server = KeyProcess(directory, name, unit)
    with closing_all([server]):
        server.start(environment=environment)
        yield server


@pytest.fixture
def directory(certificates: Path, tmp_path: Path) -> Path:
    place_certificates(certificates, tmp_path)
    for name in SITES:
        KeyProcess(tmp_path, name, "").write(name, f'file = "{name}.sqlite"')
    return tmp_path


def begin(directory: Path, name: str) -> None:
    assert KeyProcess(directory, name, "").begin() == {"schema": 1, "born": None}


@contextlib.contextmanager
def bound_unit(directory: Path, lane: int) -> Iterator[str]:
    """Run an emulated unit, and return its port."""
    with emulated(directory / f"unit-{lane}") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), lane))
        yield unit.port


@contextlib.contextmanager
def held_unit(directory: Path, lane: int) -> Iterator[ServeProcess]:
    with bound_unit(directory, lane) as port, served(port) as service:
        yield service


def test_two_sites_give_the_same_keys(directory: Path) -> None:
    begin(directory, "A")
    begin(directory, "B")
    with (
        held_unit(directory, 1) as first,
        held_unit(directory, 2) as second,
        site(directory, "A", first.port("gate")) as a,
        site(directory, "B", second.port("gate")) as b,
        contextlib.closing(a.client("SAE_A")) as master,
        contextlib.closing(b.client("SAE_B")) as slave,
    ):
        said = dict(a.said)
        assert said.pop("schema") == 1
        assert list(complaints(said, fields.fields_of(fields.ANSWERS["serve"]))) == []
        a.wait_until_ready()
        b.wait_until_ready()
        for body in ({}, {"number": 5, "size": 1032}, {"number": 128, "size": 8192}):
            new = master.keys("SAE_B", "enc_keys", body)
            assert new.status == 200
            ids = ids_of(new.values["keys"])
            assert slave.keys("SAE_A", "dec_keys", ids).values == new.values
            assert slave.keys("SAE_A", "dec_keys", ids).reason == refusals.TAKEN
        assert [a.end(), b.end()] == [0, 0]
        for server in (a, b):
            assert "Traceback" not in server.log


def test_without_a_unit_it_says_so_and_goes_on_when_the_unit_comes(directory: Path) -> None:
    begin(directory, "A")
    with bound_unit(directory, 1) as port:
        with served(port) as service:
            gate = service.port("gate")
        with site(directory, "A", gate) as a, contextlib.closing(a.client("SAE_A")) as client:
            assert client.get("/api/v1/keys/SAE_B/status").status == 503
            with served(port) as service:
                a.wait_until_ready()
                (new,) = client.keys("SAE_A", "enc_keys").values["keys"]
                service.end()
                wait_until(lambda: client.get("/api/v1/keys/SAE_B/status").status == 503, "the unit is missed")
            wanted = ids_of([new])
            for said in (client.keys("SAE_B", "enc_keys"), client.keys("SAE_A", "dec_keys", wanted)):
                assert (said.status, said.values) == (503, {"message": refusals.UNIT_AWAY})
                assert int(said.headers["Retry-After"]) > 0
            with served(port):
                a.wait_until_ready()
                assert client.keys("SAE_A", "dec_keys", wanted).values == {"keys": [new]}


def test_signals_of_systemd(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(directory / "notify"))
        systemd.settimeout(PATIENCE)
        for file in ("KME_A.crt", "KME_A.key"):
            (directory / file).unlink()
        certs.make(directory, (), ("KME_A",), (HOST,), 2)
        environment = {"NOTIFY_SOCKET": str(directory / "notify")}
        with site(directory, "A", f"unix:{directory / 'nowhere'}", **environment) as a:
            assert systemd.recv(100) == b"READY=1"
            assert a.process
            a.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "read again" in a.log, "certificates are read again")
            with contextlib.closing(a.client("SAE_A")) as client:
                assert client.get("/api/v1/keys/SAE_B/status").status == 503
                a.process.send_signal(signal.SIGTERM)
                assert systemd.recv(100) == b"STOPPING=1"
            assert a.process.wait(PATIENCE) == 0


def test_a_ledger_that_was_not_begun_delivers_nothing(directory: Path) -> None:
    with (
        held_unit(directory, 1) as service,
        site(directory, "A", service.port("gate")) as a,
        contextlib.closing(a.client("SAE_A")) as client,
    ):
        wait_until(lambda: client.keys("SAE_A", "enc_keys").status == 200, "keys for masters")
        (new,) = client.keys("SAE_A", "enc_keys").values["keys"]
        said = client.keys("SAE_A", "dec_keys", ids_of([new]))
        assert (said.status, said.values) == (503, {"message": refusals.LEDGER_LOST})


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("serve",), "USAGE"),
        (("serve", "--config", "missing.toml"), "FILE"),
        (("serve", "--config", "bad.toml"), "CONFIG"),
        (("serve", "ledger", "--config", "A.toml"), "USAGE"),
        (("serve", "ledger", "--first"), "USAGE"),
        (("serve", "--config", "taken.toml"), "USAGE"),
        (("serve", "--config", "forgetful.toml"), "FILE"),
        (("serve", "certs", "new"), "USAGE"),
        (("serve", "certs", ".", "--sae", "SAE_A"), "FILE"),
        (("serve", "certs", "new", "--sae", "a/b"), "USAGE"),
    ],
)
def test_errors_of_the_command(directory: Path, words: tuple[str, ...], code: str) -> None:
    (directory / "bad.toml").write_text("[kme]\nid = 5\n")
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        text = (directory / "A.toml").read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
        (directory / "taken.toml").write_text(text)
        text = (directory / "A.toml").read_text().replace('last_run = "', 'last_run = "missing/')
        (directory / "forgetful.toml").write_text(text)
        finished = run_ndks(*words, "--json", timeout=PATIENCE, cwd=directory)
    assert json.loads(finished.stdout)["error"]["code"] == code
    assert finished.returncode != 0


def test_a_ledger_begins_once(directory: Path) -> None:
    begin(directory, "A")
    assert KeyProcess(directory, "A", "").begin()["error"]["code"] == "LEDGER_BEGUN"


def test_certificates_of_the_command(tmp_path: Path) -> None:
    words = (
        "serve",
        "certs",
        tmp_path / "trial",
        "--sae",
        "SAE_A",
        "--kme",
        "KME_A",
        "--host",
        "kme.example",
        "--json",
    )
    answer = json.loads(run_ndks(*words, timeout=PATIENCE).stdout)
    assert answer.pop("schema") == 1
    assert list(complaints(answer, fields.fields_of(fields.ANSWERS["serve certs"]))) == []
    assert [Path(each["certificate"]).name for each in answer["files"]] == ["ca.crt", "SAE_A.crt", "KME_A.crt"]
