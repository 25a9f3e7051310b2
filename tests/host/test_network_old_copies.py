# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Old copies of an administrator's file: each command refuses them before anything is said."""

import shutil
from pathlib import Path

import pytest
from host.administering import Administering, admit, answer, done, office
from host.running import assert_refused

__all__ = ["office"]  # a fixture


def test_an_old_copy_of_a_file(office: Administering, tmp_path: Path) -> None:
    admit(office, "alice", "bob")
    old = tmp_path / "copy.ndksadmin"
    shutil.copy(office.file, old)
    done(office.admin("network", "revoke", office.file, "bob", "--yes"))
    kept = old.read_bytes()
    for command in (("refresh", old), ("revoke", old, "alice"), ("another", old, "-o", tmp_path / "other")):
        refused = office.admin("network", *command, "--yes")
        assert_refused(refused, "FILE", 1)
        assert "an old copy: it has generation 0, and 4 was made here since" in refused.stderr
        assert "ndks network merge" in refused.advice
    own_unit = ("provision", old, "--bind", "--yes", "--unit", office.port_of("carol"))
    assert_refused(office.admin(*own_unit), "FILE", 1)
    assert old.read_bytes() == kept
    stick = tmp_path / "stick"
    stick.mkdir()
    done(office.admin("network", "publish", office.file, "--carrier", f"dir:{stick}"))
    done(office.admin("network", "merge", old, "--carrier", f"dir:{stick}", "--yes"))
    assert answer(office.admin("network", "refresh", old, "--yes", "--json"))["generation"] == 8


def old_copy(office: Administering, directory: Path) -> Path:
    """Return a copy of the file, in which a generation was made since."""
    admit(office, "alice")
    old = directory / "copy.ndksadmin"
    shutil.copy(office.file, old)
    done(office.admin("network", "refresh", office.file, "--yes"))
    return old


@pytest.mark.parametrize("command", [("refresh",), ("revoke", "alice"), ("retire", "alice"), ("another", "-o", "new")])
def test_an_old_copy_is_refused_before_anything_is_said(
    command: tuple[str, ...], office: Administering, tmp_path: Path
) -> None:
    old, (name, *more) = old_copy(office, tmp_path), command
    refused = office.admin("network", name, old, *more, "--yes")
    assert_refused(refused, "FILE", 1)
    assert refused.stderr.startswith("ndks: FILE: ")


def test_an_old_copy_admits_nobody_and_asks_for_no_words(office: Administering, tmp_path: Path) -> None:
    old, request = old_copy(office, tmp_path), office.request("bob")
    refused = office.admin(
        "join", "approve", request, "--network", old, "--who", "Dora", "-o", tmp_path / "package", "--yes"
    )
    assert_refused(refused, "FILE", 1)
    assert "an old copy" in refused.stderr
    assert refused.stderr.startswith("ndks: FILE: ")
    provision = office.admin("provision", old, "--bind", "--yes", "--unit", office.port_of("carol"))
    assert_refused(provision, "FILE", 1)
    assert provision.stderr.startswith("ndks: FILE: ")
