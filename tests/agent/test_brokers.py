# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents at a real Mosquitto: with TLS, and where a broker forgets, drops or doubles what it gets."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carriers.certificates import Certificates
from carriers.inbox import wait_until
from support import broker, mqtt_proxy

import agent.running
from agent.founding import founded
from agent.site import environment
from agent.sites import Sites
from ndks.agent.running.client import AgentClient
from ndks_protocol.wire import MONITOR

pytestmark = pytest.mark.skipif(not broker.PROGRAM, reason="needs mosquitto")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.running, "TICK", 0.005)


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def url_of(port: int) -> str:
    return f"mqtt://127.0.0.1:{port}/ndks/alpha"


def dropping(how: str, directory: Path, stack: contextlib.ExitStack) -> int:
    """Start a broker that retains nothing; return its port."""
    if how == "says so":
        return stack.enter_context(broker.running(directory, "retain_available false")).port
    mosquitto = stack.enter_context(broker.running(directory))
    return stack.enter_context(mqtt_proxy.running(mosquitto.port, mqtt_proxy.swallowed))


@pytest.mark.parametrize("how", ["says so", "acknowledges"])
def test_bundles_arrive_where_a_broker_drops_what_is_to_be_retained(
    how: str, tmp_path: Path, stack: contextlib.ExitStack
) -> None:
    sites = Sites(tmp_path, url_of(dropping(how, tmp_path / "broker", stack)), stack)
    sites.found(3)
    sites.send()
    sites.check()
    late, monitor = sites.admit(), sites.admit()
    sites.issue()
    sites.wait_for_generation()
    sites.start(late)  # it asks
    sites.start(monitor, mode=MONITOR)  # it is silent, and waits until the master's host repeats the bundle
    sites.wait_for_generation()
    sites.send()
    sites.check()


def test_a_broker_that_delivers_all_twice(tmp_path: Path, stack: contextlib.ExitStack) -> None:
    mosquitto = stack.enter_context(broker.running(tmp_path / "broker"))
    proxy = mqtt_proxy.running(mosquitto.port, mqtt_proxy.doubled, mqtt_proxy.doubled)
    sites = Sites(tmp_path, url_of(stack.enter_context(proxy)), stack)
    sites.found(3)
    for _ in range(3):
        sites.send()
        sites.issue()
    sites.wait_for_generation()
    sites.send()
    sites.check()
    log = (tmp_path / "broker" / "broker.log").read_text()
    assert "Received PUBLISH from agent4 (d1" in log, "the proxy doubles"


def test_a_broker_that_is_replaced_by_an_empty_one(tmp_path: Path, stack: contextlib.ExitStack) -> None:
    mosquitto = stack.enter_context(broker.running(tmp_path / "broker"))
    sites = Sites(tmp_path, url_of(mosquitto.port), stack)
    sites.found(3)
    for _ in range(2):
        sites.send()
        mosquitto.stop(kill=True)
        sites.send()
        mosquitto.start(empty=True)
    sites.check()
    monitor = sites.admit()
    sites.issue()
    sites.wait_for_generation()
    mosquitto.stop(kill=True)
    mosquitto.start(empty=True)  # the bundle is at the members only
    sites.start(monitor, mode=MONITOR)
    sites.wait_for_generation()
    sites.wait_for_broker()
    sites.send()
    sites.check()


def test_refusals(tmp_path: Path, stack: contextlib.ExitStack) -> None:  # a short name: it is in a socket's path
    stack.enter_context(environment(tmp_path))
    made, others = Certificates(tmp_path), Certificates(new(tmp_path / "others"))
    secret(tmp_path / "passwords", made.mosquitto_password("alice", "right"))
    settings = (f"password_file {tmp_path}/passwords", "allow_anonymous false", *made.settings)
    mosquitto = stack.enter_context(broker.running(tmp_path / "broker", *settings))

    def url(ca: str, client: Certificates | None, password: str) -> str:
        file = secret(tmp_path / password, password)
        certificate = f"&certificate={client.client}&key={client.client_key}" if client else ""
        options = f"ca={ca}{certificate}&user=alice&password-file={file}"
        return f"mqtts://localhost:{mosquitto.port}/ndks/{len(password)}?{options}"

    cases = {
        url(made.ca, made, "right"): (None, ""),
        url(made.other_ca, made, "right"): ("BROKER_CERTIFICATE", "is not accepted: self-signed certificate"),
        url(made.ca, others, "right"): ("BROKER_REFUSED", "does not accept the certificate"),
        url(made.ca, None, "right"): ("BROKER_REFUSED", "wants a certificate"),
        url(made.ca, made, "mistaken"): ("BROKER_REFUSED", "user, password or certificate"),
    }
    sites = stack.enter_context(founded(tmp_path, [list(cases)]))
    (site,) = sites.sites

    def carriers() -> dict[str, dict[str, Any]]:
        with AgentClient(site.socket) as client:
            return {each["url"]: each for each in client.ask("status")["carriers"]}

    codes = {url: code for url, (code, _) in cases.items()}
    wait_until(lambda: {url: each["code"] for url, each in carriers().items()} == codes)
    log = (site.directory / "log").read_text()
    for url_, (code, says) in cases.items():
        told = carriers()[url_]
        assert says in (told["problem"] or "")
        assert not code or f"{url_}: {code}: {told['problem']}. Do: {told['advice']}" in log
    assert "mistaken\n" not in log


def new(directory: Path) -> Path:
    directory.mkdir()
    return directory


def secret(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path
