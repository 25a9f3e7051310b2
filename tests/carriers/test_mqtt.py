# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets through a real Mosquitto."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from support import broker
from support.broker import Broker

from carriers.certificates import Certificates
from carriers.inbox import PATIENCE, Inbox, wait_until
from ndks.carriers import mqtt
from ndks.carriers.carrier import LARGEST, WAITING, CarrierError
from ndks.carriers.mqtt import MqttCarrier
from ndks.carriers.mqtt_errors import BrokerCertificate, BrokerRefused
from ndks.exceptions import FileError, UsageError

pytestmark = pytest.mark.skipif(not broker.PROGRAM, reason="needs mosquitto")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    with broker.running(tmp_path / "broker") as running:
        yield running


@contextlib.contextmanager
def carrying(url: str, name: str, inbox: Inbox) -> Iterator[MqttCarrier]:
    carrier = MqttCarrier(url, name)
    carrier.start(inbox)
    try:
        yield carrier
    finally:
        carrier.close()


def url_of(mosquitto: Broker, rest: str = "") -> str:
    return f"mqtt://127.0.0.1:{mosquitto.port}/ndks/alpha{rest}"


@contextlib.contextmanager
def two(mosquitto: Broker) -> Iterator[tuple[MqttCarrier, Inbox, MqttCarrier, Inbox]]:
    inboxes = Inbox(), Inbox()
    with carrying(url_of(mosquitto), "a", inboxes[0]) as a, carrying(url_of(mosquitto), "b", inboxes[1]) as b:
        wait_until(lambda: a.problem is None and b.problem is None)
        yield a, inboxes[0], b, inboxes[1]


def test_packets_arrive_in_order_and_not_at_home(mosquitto: Broker):
    with two(mosquitto) as (a, home, b, inbox):
        sent = [os.urandom(size) for size in (1, 78, 1000, 200_000)]
        assert all(a.send(packet) for packet in sent)
        assert [inbox.next() for _ in sent] == sent
        assert b.send(b"back")
        assert home.next() == b"back"
        assert home.rest() == []


def test_what_is_not_taken_comes_again(mosquitto: Broker):
    with carrying(url_of(mosquitto), "b", Inbox()) as b:
        wait_until(lambda: b.problem is None)
    with carrying(url_of(mosquitto), "a", Inbox()) as a:
        a.send(b"while it was away")
        forgetful = Inbox(takes=False)
        with carrying(url_of(mosquitto), "b", forgetful):
            assert forgetful.next() == b"while it was away"
        inbox = Inbox()
        with carrying(url_of(mosquitto), "b", inbox):
            assert inbox.next() == b"while it was away"
        with carrying(url_of(mosquitto), "b", inbox):
            assert inbox.rest() == []


def test_bundles_are_retained_one_topic_a_generation(mosquitto: Broker):
    with carrying(url_of(mosquitto), "a", Inbox()) as a:
        for generation in range(10):
            a.send(b"bundle %d" % generation, generation)
        wait_until(lambda: a.is_idle)
        for name in ("late", "later"):
            with carrying(url_of(mosquitto), name, inbox := Inbox()):
                newest = [b"bundle %d" % generation for generation in range(3, 10)]
                assert sorted(inbox.next() for _ in newest) == newest
                assert inbox.rest() == []


def test_a_broker_is_replaced_by_an_empty_one(mosquitto: Broker):
    with carrying(url_of(mosquitto), "a", Inbox()) as a:
        a.send(b"bundle", 4)
        wait_until(lambda: a.problem is None)
        mosquitto.stop()
        wait_until(lambda: a.problem)
        mosquitto.start(empty=True)
        wait_until(lambda: a.problem is None)
        inbox = Inbox()
        with carrying(url_of(mosquitto), "late", inbox):
            assert inbox.next() == b"bundle"


def test_a_broker_is_replaced_by_one_that_retains_nothing(mosquitto: Broker, tmp_path: Path):
    inbox = Inbox()
    with carrying(url_of(mosquitto), "a", Inbox()) as a, carrying(url_of(mosquitto), "b", inbox) as b:
        wait_until(lambda: a.problem is None and b.problem is None)
        mosquitto.stop(kill=True)
        wait_until(lambda: a.problem and b.problem)
        a._publish(a._topic(1), b"sent before, and not acknowledged", retain=True)
        a.send(b"bundle", 4)
        other = Broker(tmp_path / "other", "retain_available false", port=mosquitto.port)
        other.start()
        try:
            wait_until(lambda: b.problem is None)
            a.send(b"bundle", 4)
            assert inbox.next() == b"bundle"
            assert not a.retains
        finally:
            other.stop(kill=True)


def test_a_broker_that_is_away_loses_nothing_that_was_accepted(mosquitto: Broker):
    with two(mosquitto) as (a, _, b, inbox):
        mosquitto.stop()  # it saves who has subscribed
        wait_until(lambda: a.problem and b.problem)
        accepted = [number for number in range(WAITING + 50) if a.send(b"%d" % number)]
        assert len(accepted) == WAITING
        mosquitto.start()
        assert [int(inbox.next()) for _ in accepted] == accepted


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a socket to the collector
def test_refused_password_and_wrong_authority_are_named(tmp_path: Path):
    made = Certificates(tmp_path)
    (tmp_path / "passwords").write_text(made.mosquitto_password("alice", "right"))
    (tmp_path / "passwords").chmod(0o600)
    settings = (f"password_file {tmp_path}/passwords", "allow_anonymous false", *made.settings)
    with broker.running(tmp_path / "broker", *settings) as mosquitto:
        cases: list[tuple[str, str, type[CarrierError] | None]] = [
            (made.ca, "right", None),
            (made.ca, "wrong", BrokerRefused),
            (made.other_ca, "right", BrokerCertificate),
        ]
        for authority, password, problem in cases:
            secret = tmp_path / "secret"
            secret.write_text(f"{password}\n")
            secret.chmod(0o600)
            options = (
                f"ca={authority}&certificate={made.client}&key={made.client_key}&user=alice&password-file={secret}"
            )
            with carrying(f"mqtts://localhost:{mosquitto.port}/ndks/alpha?{options}", "a", Inbox()) as carrier:
                if problem:
                    wait_until(lambda: isinstance(carrier.problem, problem))  # noqa: B023
                    assert password not in str(carrier.problem)
                else:
                    wait_until(lambda: carrier.problem is None)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mqtt://alice:pass@localhost/a", "password does not belong in a URL"),
        ("mqtt://localhost", "must name a broker and a topic"),
        ("mqtt://localhost/a/+", "is no topic"),
        ("mqtt://localhost/a?ca=x.pem", "has no TLS"),
        ("mqtt://localhost/a?colour=red", "there is no option colour"),
        ("mqtt://localhost:banana/a", "malformed"),
        ("mqtt://localhost/a?password-file=x", "a password and no user"),
    ],
)
def test_urls_that_are_refused(url: str, says: str):
    with pytest.raises(UsageError, match=says) as refusal:
        MqttCarrier(url, "a")
    assert "pass@" not in f"{refusal.value} {refusal.value.advice}"


def test_a_password_that_others_may_read_is_refused(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("right")
    secret.chmod(0o644)
    with pytest.raises(FileError):
        MqttCarrier(f"mqtt://localhost/a?user=alice&password-file={secret}", "a")


@contextlib.contextmanager
def stranger(mosquitto: Broker) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2, "stranger", protocol=paho.MQTTv5)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_stranger_s_topics_and_sizes_do_not_stop_it(mosquitto: Broker):
    with stranger(mosquitto) as client:
        for topic in ("9" * 5000, "²", "٣", "-1", "x"):
            client.publish(f"ndks/alpha/bundles/{topic}", b"no bundle", qos=1, retain=True).wait_for_publish(PATIENCE)
        with carrying(url_of(mosquitto), "a", Inbox()) as a, carrying(url_of(mosquitto), "b", inbox := Inbox()) as b:
            wait_until(lambda: a.problem is None and b.problem is None)
            assert {inbox.next() for _ in range(5)} == {b"no bundle"}
            client.publish("ndks/alpha/packets", bytes(LARGEST + (1 << 17)), qos=1).wait_for_publish(PATIENCE)
            a.send(b"packet")
            assert inbox.next() == b"packet"
            assert b._connection == 1


def test_only_its_own_thread_writes_to_the_broker(mosquitto: Broker, monkeypatch: pytest.MonkeyPatch):
    """Two threads that write would put a packet between the halves of another, and TLS knows no threads."""
    writers: set[str] = set()
    write = paho.Client.loop_write

    def noted(client: paho.Client) -> object:
        writers.add(threading.current_thread().name)
        return write(client)

    with two(mosquitto) as (a, _, _, inbox):
        monkeypatch.setattr(paho.Client, "loop_write", noted)
        for number in range(50):
            a.send(b"%d" % number)
        assert [int(inbox.next()) for _ in range(50)] == list(range(50))
    assert writers <= {"mqtt"}


def test_a_broker_that_speaks_nonsense_is_left_and_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mqtt, "_PAUSES", (0.05, 0.05))
    connack = bytes((0x20, 3, 0, 0, 0))
    nonsense = [
        b"\0" * 99,
        os.urandom(200),
        bytes((0x20, 9, 0, 0, 6, 200, 1, 1, 1, 1, 1)),
        connack + b"\x90\x03\0\1\xff\xff",
    ]
    nonsense.append(connack + bytes((0x30, 9, 0, 1)) + b"\xff" + bytes((3, 250, 1, 1, 1)))
    heard = 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        carrier = MqttCarrier(f"mqtt://127.0.0.1:{server.getsockname()[1]}/a", "a")
        carrier.start(Inbox())
        try:
            for answer in nonsense * 2:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    connection.recv(1000)
                    connection.settimeout(5)
                    connection.sendall(answer)
                    with contextlib.suppress(OSError):
                        while connection.recv(1000):
                            pass
                heard += 1
            wait_until(lambda: carrier.problem)
        finally:
            carrier.close()
    assert heard == 2 * len(nonsense)


def test_a_thread_that_fails_goes_on_and_says_so(mosquitto: Broker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mqtt, "_PAUSES", (0.05, 0.05))

    def fail(_: object) -> None:
        raise IndexError

    with carrying(url_of(mosquitto), "a", Inbox()) as a:
        with monkeypatch.context() as patch:
            patch.setattr(paho.Client, "loop", fail)
            wait_until(lambda: "IndexError" in str(a.problem))
        wait_until(lambda: a.problem is None)


def test_what_may_not_be_sent_is_told(tmp_path: Path):
    (tmp_path / "rules").write_text("topic read nothing/#\n")
    settings = (f"acl_file {tmp_path}/rules", "allow_anonymous true")
    with broker.running(tmp_path / "broker", *settings) as mosquitto, carrying(url_of(mosquitto), "a", Inbox()) as a:
        wait_until(lambda: a.problem is None)
        a.send(b"packet")
        wait_until(lambda: "refuses what is sent to ndks/alpha: Not authorized" in str(a.problem))


def test_what_may_not_be_read_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        carrying(f"mqtt://127.0.0.1:{server.getsockname()[1]}/a", "a", Inbox()) as carrier,
        server.accept()[0] as connection,
    ):
        connection.recv(1000)
        connection.sendall(bytes((0x20, 3, 0, 0, 0)))
        subscribe = connection.recv(1000)
        connection.sendall(bytes((0x90, 5, *subscribe[2:4], 0, 0x87, 1)))
        wait_until(lambda: "does not permit to read a/#: Not authorized" in str(carrier.problem))


def test_after_a_lasting_connection_it_is_soon_back(mosquitto: Broker, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    class Pauses(tuple[float, ...]):
        def __getitem__(self, place: Any) -> Any:
            asked.append(place)
            return super().__getitem__(place)

    monkeypatch.setattr(mqtt, "_PAUSES", Pauses([0.1] * 9))
    monkeypatch.setattr(mqtt, "_LASTING", 0.5)
    with carrying(url_of(mosquitto), "a", Inbox()) as a:
        for _ in range(3):
            wait_until(lambda: a.problem is None)
            time.sleep(0.6)
            asked.clear()
            mosquitto.stop(kill=True)
            wait_until(lambda: len(asked) > 2)
            assert asked[:3] == [0, 1, 2]
            mosquitto.start()


def test_an_old_bundle_is_sent_and_not_retained(mosquitto: Broker):
    with two(mosquitto) as (a, _, _, inbox):
        for generation in (*range(10, 17), 3):
            a.send(b"bundle %d" % generation, generation)
        assert {inbox.next() for _ in range(8)} == {b"bundle %d" % generation for generation in (*range(10, 17), 3)}
        with carrying(url_of(mosquitto), "late", late := Inbox()):
            newest = [b"bundle %d" % generation for generation in range(10, 17)]
            assert sorted(late.next() for _ in newest) == newest
            assert late.rest() == []


def test_what_passes_is_not_kept_for_a_broker_that_is_away(mosquitto: Broker):
    with two(mosquitto) as (a, _, b, inbox):
        mosquitto.stop()
        wait_until(lambda: a.problem is not None)
        assert a.send(b"a beacon", passing=True)
        assert a.send(b"a message")
        mosquitto.start()
        wait_until(lambda: a.problem is None and b.problem is None)
        assert inbox.next() == b"a message"
        assert inbox.rest() == []
        assert a.send(b"a beacon", passing=True)
        assert inbox.next() == b"a beacon"
