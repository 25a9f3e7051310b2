# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks by another channel at agents with emulated units: values at both ends, schedule, failures, old stores."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from host.conftest import Call
from support.checking import Desk, asked

import ndks
from ndks.agent import Agent, Store
from ndks.agent.checking import Checking, name_of
from ndks.agent.running.checks import Checks, text_of
from ndks.agent.store import FORMAT
from ndks.confinement.compare import compare
from ndks.confinement.findings import Kind
from ndks.confinement.taking import record_of
from ndks.driver.network_verbs import NetworkUnit
from ndks.exceptions import FileError, UsageError
from ndks.network import administrator_file
from ndks.network.administrator_keys import AdministratorKeys
from ndks.word_list import spoken_words

OTHER = "abandon ability able about above absent"


@pytest.fixture
def members(tmp_path: Path, call: Call) -> tuple[str, str]:
    """The ports of two members, on lanes 4 and 8, of a network with an administrator."""
    file, ports = tmp_path / "office.ndksadmin", (f"emulator:{tmp_path / 'a'}", f"emulator:{tmp_path / 'b'}")
    assert call("network", "new", "office", "--administered", "-o", file).status == 0
    for port in ports:
        done = call("provision", file, "--bind", "--yes", "--unit", port)
        assert done.status == 0, done.stderr
    return ports


@contextlib.contextmanager
def opened(ports: tuple[str, str], file: Path) -> Iterator[list[Agent]]:
    """Agents of both units, whose packets each other gets at once; the first unit has learned the second generation."""
    known = administrator_file.load(file)
    public = AdministratorKeys(known.root).public
    with contextlib.ExitStack() as stack:
        units = [NetworkUnit(stack.enter_context(ndks.open(port))) for port in ports]
        agents = [
            Agent(unit, stack.enter_context(contextlib.closing(Store())), Random(1), public=public) for unit in units
        ]
        for bundle in known.bundles:
            for agent in agents:
                agent.receive(bundle.content)
        yield agents


def carried(sender: Agent, receiver: Agent, texts: list[bytes]) -> None:
    for text in texts:
        for packet in sender.send(text).packets:
            receiver.receive(packet)


def store_of(agent: Agent) -> Store:
    return agent.outbox._store


@pytest.fixture
def agents(members: tuple[str, str], tmp_path: Path) -> Iterator[list[Agent]]:
    with opened(members, tmp_path / "office.ndksadmin") as both:
        yield both


def test_both_agents_know_the_check_value(agents: list[Agent]) -> None:
    alice, bob = agents
    carried(alice, bob, [b"see you at noon", b"x" * 3000])
    for s in (1, 2):
        value = Checking(store_of(alice)).book.value(name_of(4, s))
        assert len(value) == 8
        assert Checking(store_of(bob)).book.value(name_of(4, s)) == value
    assert Checking(store_of(bob)).book.value(name_of(4, 3)) == b""


def test_the_schedule(agents: list[Agent], caplog: pytest.LogCaptureFixture) -> None:
    alice, bob = agents
    carried(alice, bob, [b"before"] * 3)
    checks = Checks(store_of(bob))
    assert checks.state()["due"] == []
    assert checks.schedule(asked(every=2)) == {"every": 2}
    carried(alice, bob, [b"1"])
    assert checks.state()["due"] == []
    carried(alice, bob, [b"2"])
    (due,) = checks.state()["due"]
    assert due == {"lane": 4, "s": 5, "messages": 2, "overdue": False}
    assert "ndks check --message 4:5 --confirm NAME" in text_of(due)
    carried(alice, bob, [b"3", b"4"])
    (due,) = checks.state()["due"]
    assert due == {"lane": 4, "s": 7, "messages": 4, "overdue": True}
    assert "overdue" in text_of(due)
    said = {"who": "Alice", "channel": "telephone", "words": "w"}
    checks.confirm(asked(lane=4, s=6, held=True, **said))
    assert checks.state()["due"] == []
    carried(alice, bob, [b"5"])
    assert [due["messages"] for due in checks.state()["due"]] == [2]
    checks.schedule(asked(every=0))
    assert checks.state()["due"] == []


def test_the_log_says_once_that_a_check_is_due(agents: list[Agent], caplog: pytest.LogCaptureFixture) -> None:
    alice, bob = agents
    checks = Checks(store_of(bob))
    checks.schedule(asked(every=2))
    said = list[int]()
    for _ in range(6):
        for packet in alice.send(b"text").packets:
            checks.arrived(bob.receive(packet).events)
        said.append(len(caplog.records))
    assert said == [0, 1, 1, 2, 2, 3]


def test_failures_stay_until_they_are_resolved(agents: list[Agent]) -> None:
    alice, bob = agents
    carried(alice, bob, [b"see you at noon"])
    checks = Checks(store_of(bob))
    checks.confirm(asked(lane=4, s=1, held=False, who="Alice", channel="telephone", words=OTHER))
    for _ in range(2):
        (failure,) = checks.state()["failures"]
        assert (failure["message"], failure["who"], failure["words"]) == ("4:1", "Alice", OTHER)
    checks.resolve(asked(lane=4, s=1, how="it was another message"))
    assert checks.state()["failures"] == []
    (noted,) = checks.all(asked())["confirmations"]
    assert noted["resolved"] == "it was another message"
    with pytest.raises(UsageError, match="no failure"):
        checks.resolve(asked(lane=4, s=1, how="again"))


@pytest.mark.parametrize("wrong", [{"who": "a\nb"}, {"who": ""}, {"words": 1}, {"channel": "x" * 201}, {"lane": "4"}])
def test_odd_requests(wrong: dict[str, Any]) -> None:
    checks = Checks(Store())
    values = {"lane": 4, "s": 1, "held": True, "who": "Alice", "channel": "telephone", "words": "w", **wrong}
    with pytest.raises(UsageError):
        checks.confirm(asked(**values))
    with pytest.raises(UsageError, match="not known here"):
        checks.value(asked(lane=4, s=1))
    with pytest.raises(UsageError):
        checks.schedule(asked(every=10**9))


def test_a_store_of_before_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with contextlib.closing(Store(path)) as store, store.step():
        store.note("kept", 7)
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.executescript("DROP TABLE checks; DROP TABLE confirmations; PRAGMA user_version = 1")
    with contextlib.closing(Store(path)) as store:
        assert store.fact("kept") == 7
        assert Checking(store).book.confirmations() == []
        assert store.read("PRAGMA user_version") == [(FORMAT,)]
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 3")
    with pytest.raises(FileError):
        Store(path)


def test_an_epoch_behind_is_no_divergence(members: tuple[str, str], tmp_path: Path) -> None:
    """Units of a network with generations: one has renewed, the other has not heard of it."""
    with opened(members, tmp_path / "office.ndksadmin") as (alice, _):
        alice.renew()
    records = list[Any]()
    for port in members:
        with ndks.open(port) as unit:
            records.append(record_of(unit, (1, 2), 256))
    (finding,) = compare(records)
    assert (finding.kind, finding.units) == (Kind.BEHIND, (records[1].serial_number,))
    assert "it is in generation 4, epoch 0, the others are in generation 4, epoch 1" in finding.text
    earlier = list[Any]()
    for port in members:
        with ndks.open(port) as unit:
            earlier.append(record_of(unit, (1, 2), 256, epoch=4 << 16))
    assert {finding.kind for finding in compare(earlier)} == {Kind.BEHIND}, "the keys of the epoch of both are equal"


def test_commands(agents: list[Agent], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = agents
    checks = Checks(store_of(bob))
    monkeypatch.setattr("ndks.cli.check.client", lambda _: Desk(checks))
    assert call("check", "--schedule", 1).text == "a check is due after each message of a sender, from now on\n"
    carried(alice, bob, [b"see you at noon"])
    assert "a check with lane 4 by another channel is due" in call("check").text
    words = spoken_words(Checking(store_of(alice)).book.value(name_of(4, 1)))
    assert words in call("check", "--message", "4:1").text
    confirm = ("check", "--message", "4:1", "--confirm", "Alice", "--words")
    assert call(*confirm, OTHER).status == 1
    assert "check FAILED" in call("check").text
    assert call("check", "--message", "4:1", "--resolve", "a slip of the tongue").status == 0
    assert call(*confirm, words).status == 0
    assert "due" not in call("check").text
    assert call("check", "--message", "4:2").status == 2
