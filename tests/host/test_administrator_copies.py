# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Copies of an administrator's file: none makes a generation, a lane or an administrator a second time."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from host.administering import Administering, admit, answer, done, office
from host.running import assert_refused

from ndks.agent.running.channel import Channel
from ndks.agent.running.office import Office
from ndks.carriers.carrier import Receive, Received
from ndks.exceptions import CheckFailed, NdksError, UsageError
from ndks.laptop.homes import HOME
from ndks.network import administrator_file
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle

__all__ = ["office"]  # a fixture


def copied(office: Administering, name: str = "copy.ndksadmin") -> Path:
    return Path(shutil.copy(office.file, office.directory / name))


def at_administrator(office: Administering) -> None:
    office.patch.setenv(HOME, str(office.home_of("administrator")))


def test_a_copy_numbers_no_administrator_a_second_time(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    old = copied(office)
    done(office.admin("network", "another", office.file, "-o", tmp_path / "second", "--yes"))
    refused = office.admin("network", "another", old, "-o", tmp_path / "third", "--yes")
    assert_refused(refused, "FILE", 1)
    assert "old copy" in refused.stderr
    assert not (tmp_path / "third").exists()
    # It is taken for the file only by whoever says that it is the file now.
    done(office.admin("network", "merge", old, tmp_path / "second", "--yes"))
    done(office.admin("network", "refresh", old, "--yes"))


def test_a_restored_file_learns_whom_it_numbered(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    old, second = copied(office), tmp_path / "second"
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    done(office.admin("network", "refresh", second, "--yes"))
    done(office.admin("network", "merge", old, second, "--yes"))
    told = answer(office.admin("network", "another", old, "-o", tmp_path / "third", "--yes", "--json"))
    assert told["administrator"] == 2


def test_a_generation_whose_package_was_not_written_is_noted(office: Administering) -> None:
    admit(office, "alice")
    old = copied(office)
    office.request("bob")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ndks.network.member_package.MemberPackage.save", _fail)
        assert_refused(office.approve("bob"), "USAGE", 2)
    assert office.state.g == 4
    assert_refused(office.admin("network", "refresh", old, "--yes"), "FILE", 1)


def _fail(*_: object) -> None:
    raise UsageError("no")


def test_a_merge_of_the_agent_is_noted(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    second = tmp_path / "second"
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    old = copied(office)
    done(office.admin("network", "revoke", office.file, "alice", "--yes"))
    done(office.admin("network", "revoke", second, "bob", "--yes"))
    at_administrator(office)
    shutil.copy(old, tmp_path / "older")
    bundle = administrator_file.load(second).bundles[-1]
    merging = Office(office.file)
    merging.receive(bundle.content)
    assert merging.has_merged
    assert office.state.g == 8
    done(office.admin("network", "merge", old, office.file, "--yes"))
    refused = office.admin("network", "refresh", tmp_path / "older", "--yes")
    assert_refused(refused, "FILE", 1)
    assert "8 was made here" in refused.stderr


def test_a_copy_makes_no_merge_before_it_knows_what_was_made(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    second = tmp_path / "second"
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    done(office.admin("network", "refresh", office.file, "--yes"))  # 4, of which the other does not know
    old = copied(office)
    done(office.admin("network", "revoke", second, "bob", "--yes"))  # 1
    done(office.admin("network", "refresh", second, "--yes"))  # 5
    done(office.admin("network", "refresh", office.file, "--yes"))  # 8
    kept = old.read_bytes()
    refused = office.admin("network", "merge", old, second, "--yes")
    assert refused.error_code in ("USAGE", "FILE"), refused.stderr
    assert "old copy" in refused.stderr
    assert old.read_bytes() == kept
    at_administrator(office)
    bundle = administrator_file.load(second).bundles[-1]
    assert Office(old).receive(bundle.content) == []
    assert old.read_bytes() == kept
    done(office.admin("network", "merge", old, second, office.file, "--yes"))
    assert administrator_file.load(old).g == 12


class Retaining:
    """A carrier that gives what it retains, and keeps nothing."""

    url, largest, retains, is_idle = "", None, True, True
    problem: NdksError | None = None

    def __init__(self, packets: Sequence[bytes]) -> None:
        self.packets = packets

    def start(self, receive: Receive) -> None:
        for packet in self.packets:
            receive(Received(packet, lambda: None, self.url))

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        return bool(packet) or generation is None

    def close(self) -> None: ...


def test_a_copy_elsewhere_learns_the_newest_first(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    second = tmp_path / "second"
    done(office.admin("network", "another", office.file, "-o", second, "--yes"))
    done(office.admin("network", "refresh", office.file, "--yes"))  # 4
    old = copied(office)
    done(office.admin("network", "refresh", second, "--yes"))  # 1
    done(office.admin("network", "refresh", second, "--yes"))  # 5, which knows nothing of 4
    done(office.admin("network", "refresh", office.file, "--yes"))  # 8
    office.patch.setenv(HOME, str(office.home_of("elsewhere")))
    five, eight = (administrator_file.load(path).bundles[-1].content for path in (second, office.file))
    with contextlib.ExitStack() as stack:
        channel = Channel(Office(old), [Retaining([b"", five, eight])])
        channel.start(stack)
        channel.learn()
    found = administrator_file.load(old)
    assert found.generation(8) == office.state.generation(8)
    assert found.g == 8  # the other administrator merges, whose generation was passed over


def test_two_copies_that_made_the_same_generation_are_named(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    old = copied(office)
    done(office.admin("network", "refresh", office.file, "--yes"))
    done(office.at("elsewhere", "network", "revoke", old, "bob", "--yes"))
    state = office.state
    refused = office.admin("network", "merge", office.file, old, "--yes")
    assert_refused(refused, "CHECK_FAILED", 1)
    assert "generation 4 was made twice" in refused.stderr
    at_administrator(office)
    assert Office(office.file).receive(administrator_file.load(old).bundles[-1].content) == []
    assert office.state == state
    administrator = Administrator(state)
    own = Bundle.parse(state.bundles[-1].content)
    assert administrator.on_bundle(own.content) is None
    with pytest.raises(CheckFailed, match="twice"):
        administrator.on_bundle(administrator_file.load(old).bundles[-1].content)


def test_a_number_whose_file_was_not_written_is_spent(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ndks.cli.publication.confirm", lambda *_: (tmp_path / "second").touch())
        refused = office.admin("network", "another", office.file, "-o", tmp_path / "second", "--yes")
    assert_refused(refused, "FILE", 1)
    assert "number 1 and its 24 revocations are spent" in refused.advice
    told = answer(office.admin("network", "another", office.file, "-o", tmp_path / "third", "--yes", "--json"))
    assert told["administrator"] == 2
