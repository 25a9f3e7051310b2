# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets through a real Mosquitto."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import broker
from support.broker import Broker

from carriers.certificates import Certificates
from carriers.inbox import Inbox, wait_until
from ndks.carriers.carrier import ROOM, WAITING, CarrierError
from ndks.carriers.mqtt import BrokerCertificate, BrokerRefused, MqttCarrier
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
        wait_until(lambda: a.problem is None)
        inbox = Inbox()
        with carrying(url_of(mosquitto), "late", inbox):
            assert sorted(inbox.rest(2.0))[-7:] == [b"bundle %d" % generation for generation in range(3, 10)]
        newest = Inbox()
        with carrying(url_of(mosquitto), "later", newest):
            assert sorted(newest.rest(2.0)) == [b"bundle %d" % generation for generation in range(3, 10)]


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


def test_a_broker_that_is_away_loses_nothing_that_was_accepted(mosquitto: Broker):
    with two(mosquitto) as (a, _, b, inbox):
        mosquitto.stop(kill=True)
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


def test_what_passes_is_not_kept_for_a_broker_that_is_away(mosquitto: Broker):
    with two(mosquitto) as (a, _, b, inbox):
        assert a.has_room
        mosquitto.stop()
        wait_until(lambda: a.problem is not None)
        assert not a.has_room
        assert a.send(b"a beacon", passing=True)
        assert a.send(b"a message")
        mosquitto.start()
        wait_until(lambda: a.problem is None and b.problem is None)
        assert inbox.next() == b"a message"
        assert inbox.rest() == []
        assert a.send(b"a beacon", passing=True)
        assert inbox.next() == b"a beacon"
        wait_until(lambda: a.has_room)


def test_there_is_no_room_while_much_is_under_way(mosquitto: Broker):
    with two(mosquitto) as (a, _, _, inbox):
        mosquitto.pause()
        for number in range(ROOM):
            assert a.has_room
            a.send(b"%d" % number)
        assert not a.has_room
        mosquitto.go_on()
        assert [inbox.next() for _ in range(ROOM)] == [b"%d" % number for number in range(ROOM)]
        wait_until(lambda: a.has_room)
