# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands that change an administrator's file, and what they refuse."""

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

from host.administering import Administering, admit, answer, done, office
from host.running import assert_refused, command_line, environment, run_at_terminal
from support.authority import Authority

from ndks.network import administrator_file
from ndks.network.administrator import Administrator
from ndks.network.generation import State

__all__ = ["office"]  # a fixture


def test_founding(office: Administering, tmp_path: Path) -> None:
    state = office.state
    assert (state.number, state.g, state.members, state.authority) == (0, -1, (), "")
    assert stat.S_IMODE(office.file.stat().st_mode) == 0o600
    new = ("network", "new", "office", "--administered", "-o", office.file)
    assert_refused(office.admin(*new), "FILE", 1)
    assert_refused(office.admin(*new, "--force"), "USAGE", 2)
    assert office.state == state
    other = tmp_path / "other.ndksadmin"
    for key in ("ssh-rsa AAAA", "ssh-ed25519 AAAA", tmp_path / "missing.pub", office.file):
        refused = office.admin("network", "new", "other", "--administered", "--authority", key, "-o", other)
        assert refused.error_code in ("USAGE", "FILE"), key
        assert not other.exists()
    authority = Authority(tmp_path)
    told = answer(
        office.admin(
            "network", "new", "other", "--administered", "--authority", authority.public_path, "-o", other, "--json"
        )
    )
    assert told["authority"] == authority.public_path.read_text().strip()
    assert_refused(office.admin("network", "new", "plain", "--authority", "x", "-o", tmp_path / "p"), "USAGE", 2)
    assert "no generation yet" in office.admin("network", "show", other).text
    assert state.network.p1 not in office.admin("network", "show", other).text


def test_revoked_and_retired(office: Administering) -> None:
    admit(office, "alice", "bob", "carol", "dave")
    revoke, retire = ("network", "revoke", office.file), ("network", "retire", office.file)
    told = office.admin(*revoke, "bob", "0000000000abc002", "--yes", "--json")
    assert "lane 8, bob" in told.stderr
    assert "Generation 4 begins for 2 members" in told.stderr
    assert [unit["label"] for unit in answer(told)["units"]] == ["bob", "carol"]
    assert answer(told)["revoked_count"] == 2
    assert "is retired" in done(office.admin(*retire, 4, "--yes")).text
    assert [member.state for member in office.state.members] == [State.RETIRED, State.REVOKED, State.REVOKED, State.IN]
    state = office.state
    for who in (8, 99, "erin", "0000000000ABCFFF", "99999"):
        for command in (revoke, retire):
            assert_refused(office.admin(*command, who, "--yes"), "USAGE", 2)
    unconfirmed = office.admin(*revoke, "dave")
    assert_refused(unconfirmed, "USAGE", 2)
    assert "lane 16, dave" in unconfirmed.stderr
    declined = run_at_terminal(b"no\n", *revoke, "dave")
    assert_refused(declined, "DECLINED", 1)
    assert office.state == state
    done(run_at_terminal(b"yes\n", *revoke, "dave"))
    assert office.state.present == ()


def test_several_units_of_one_label(office: Administering) -> None:
    admit(office, "alice", "alice")
    refused = office.admin("network", "revoke", office.file, "alice", "--yes")
    assert_refused(refused, "USAGE", 2)
    assert "several" in refused.stderr


def test_refreshed(office: Administering) -> None:
    refresh = ("network", "refresh", office.file, "--yes")
    assert_refused(office.admin(*refresh), "USAGE", 2)  # nobody is there
    admit(office, "alice")
    told = answer(office.admin(*refresh, "-d", 4, "--f1", "hyperbolic", "--json"))
    assert (told["generation"], told["digits"], told["f1"], told["f2"]) == (4, 4, "hyperbolic", "cosine")
    assert office.state.operators[0] == 4
    for wrong in (("-d", 13), ("-d", 0), ("--f1", "tangent")):
        assert_refused(office.admin(*refresh, *wrong), "USAGE", 2)
    assert answer(office.admin(*refresh, "--json"))["digits"] == 4
    secrets = {each.secret for each in office.state.generations}
    assert len(secrets) == 3


def test_administrators_apart_are_merged(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob", "carol")
    second = tmp_path / "second.ndksadmin"
    told = answer(office.admin("network", "another", office.file, "-o", second, "--yes", "--json"))
    assert (told["administrator"], told["revocations"], office.state.revocations) == (1, 24, 72)
    assert stat.S_IMODE(second.stat().st_mode) == 0o600
    done(office.admin("network", "revoke", office.file, "alice", "--yes"))
    done(office.admin("network", "revoke", second, "bob", "--yes"))
    told = answer(office.admin("network", "merge", office.file, second, "--yes", "--json"))
    assert (told["merged"], told["revoked_count"]) == (True, 2)
    told = office.admin("network", "merge", office.file, second, "--yes")
    assert "nothing was new" in done(told).text
    told = answer(office.admin("network", "merge", second, office.file, "--yes", "--json"))
    assert (told["merged"], told["generation"], told["revoked_count"]) == (False, office.state.g, 2)
    assert_refused(office.admin("network", "another", second, "-o", tmp_path / "third", "--yes"), "USAGE", 2)
    for name in ("third", "fourth"):
        done(office.admin("network", "another", office.file, "-o", tmp_path / name, "--yes"))
    assert_refused(office.admin("network", "another", office.file, "-o", tmp_path / "fifth", "--yes"), "USAGE", 2)
    assert not (tmp_path / "fifth").exists()


def test_bundles_that_are_refused(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    merge = ("network", "merge", office.file)
    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "new", "other", "--administered", "-o", other))
    assert_refused(office.admin(*merge, other, "--yes"), "CHECK_FAILED", 1)  # it has none
    with administrator_file.opened(other) as administrator:
        administrator.admit("0000000000ABC000")
        foreign = administrator.issue().content
    own = office.state.bundles[-1].content
    altered = own[:-1] + bytes([own[-1] ^ 1])
    files = {"foreign": foreign, "cut": own[:-9], "altered": altered, "empty": b"", "text": b"hi"}
    state = office.state
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert_refused(office.admin(*merge, path, "--yes"), "CHECK_FAILED", 1)
    assert_refused(office.admin(*merge, other, "--yes"), "CHECK_FAILED", 1)
    assert_refused(office.admin(*merge, tmp_path / "missing", "--yes"), "FILE", 1)
    assert_refused(office.admin(*merge, "--yes"), "USAGE", 2)
    assert office.state == state


def test_files_that_are_damaged_or_shown_to_others(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    content = office.file.read_text()
    values: dict[str, Any] = json.loads(content)
    plain = tmp_path / "plain.ndksnet"
    done(office.admin("network", "new", "plain", "-o", plain))
    damages = [content[: len(content) // 2], "", "[]", json.dumps(values | {"more": 1}), plain.read_text()]
    damages += [json.dumps(values | {"ndks_administrator": 2})]
    commands = (("show",), ("revoke", 4, "--yes"), ("refresh", "--yes"), ("another", "-o", tmp_path / "x", "--yes"))
    for damaged in damages:
        office.file.write_text(damaged)
        for name, *more in commands:
            finished = office.admin("network", name, office.file, *more)
            if name == "show" and damaged == plain.read_text():
                continue
            assert_refused(finished, "NETWORK_FILE", 1)
            assert values["root"] not in finished.stderr
        assert office.file.read_text() == damaged
    office.file.write_text(content)
    office.file.chmod(0o644)
    for name, *more in commands:
        assert_refused(office.admin("network", name, office.file, *more), "FILE", 1)
    assert_refused(office.admin("network", "refresh", tmp_path / "missing.ndksadmin", "--yes"), "FILE", 1)
    assert_refused(office.admin("network", "publish", plain, "--carrier", "dir:."), "NETWORK_FILE", 1)


def test_a_killed_command_leaves_the_file_whole(office: Administering) -> None:
    admit(office, "alice")
    generations = office.state.g
    for _ in range(5):
        words = command_line("network", "refresh", office.file, "--yes")
        with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stderr
            process.stderr.readline()  # it has said what it will do
            process.kill()
        assert office.state.g in (generations, generations + 4)
        generations = office.state.g
    Administrator(office.state).issue()


def test_what_cannot_be_merged_is_refused_before_anything_is_said(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice")
    other = tmp_path / "other.ndksadmin"
    done(office.admin("network", "new", "other", "--administered", "-o", other))
    done(office.candidate("zoe", "provision", other, "--bind", "--yes"))
    refused = office.admin("network", "merge", office.file, other, "--yes")
    assert_refused(refused, "CHECK_FAILED", 1)
    assert refused.stderr.startswith("ndks: CHECK_FAILED: ")
