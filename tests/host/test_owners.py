# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that root writes in a user's directory: replaced files and state keep their owner, others belong to root."""

import errno
import os
from pathlib import Path

import pytest
from host.refusing import refuse
from host.running import run

import ndks
from ndks.laptop.homes import HOME
from ndks.paths import inherit_owner
from ndks.whole_file import whole_file, write_private

USER, GROUP = 65534, 65533
ROOT = (0, 0)

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone can give files to others"
)


def give(path: Path) -> Path:
    os.chown(path, USER, GROUP)
    return path


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def owners(directory: Path) -> dict[str, tuple[int, int]]:
    return {path.relative_to(directory).as_posix(): owner(path) for path in directory.rglob("*")}


@pytest.fixture
def users_desk(desk: Path) -> Path:
    return give(desk)


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("unnamed", [True, False])
def test_a_file_that_is_replaced_keeps_its_owner(
    users_desk: Path, private: bool, unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    old = users_desk / "old"
    old.write_bytes(b"old")
    old.chmod(0o644)
    give(old)
    for path in (old, users_desk / "new"):
        with whole_file(path, private=private) as file:
            file.write(b"content")
    assert owners(users_desk) == {"old": (USER, GROUP), "new": ROOT}
    assert not private or old.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_file_that_another_user_puts_there_meanwhile_gives_nothing_away(
    users_desk: Path, unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no such moment: a file that must not be overwritten is never given to its owner."""
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    given: list[object] = []
    monkeypatch.setattr(os, "fchown", lambda *those: given.append(those))

    def write_while_another_does() -> None:
        with whole_file(users_desk / "out", private=True, overwrite=False) as file:
            (users_desk / "out").touch()
            give(users_desk / "out")
            file.write(b"secret")

    with pytest.raises(ndks.FileError, match="exists"):
        write_while_another_does()
    assert given == []


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP])
def test_where_nothing_can_be_given_away_it_is_ours(
    users_desk: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_it(*_: object) -> None:
        raise refuse(number)

    write_private(users_desk / "out", b"old")
    give(users_desk / "out")
    monkeypatch.setattr(os, "fchown", refuse_it)
    write_private(users_desk / "out", b"new")
    assert (users_desk / "out").read_bytes() == b"new"
    assert owner(users_desk / "out") == ROOT


def test_nothing_that_somebody_else_may_have_put_there_is_given_away(desk: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"root's")
    os.link(precious, desk / "hard link")
    (desk / "link").symlink_to(precious)
    model = give(desk)
    for name in ("hard link", "link", "missing"):
        inherit_owner(desk / name, model)
    assert owner(precious) == ROOT


def test_commands_of_root_on_a_users_files(alice: str, network: ndks.Network, users_desk: Path) -> None:
    for name in ("key", "stream"):
        (users_desk / name).touch()
        give(users_desk / name)
    network.save(users_desk / "office.ndksnet")
    give(users_desk / "office.ndksnet")
    assert run("key", "--unit", alice, "-o", users_desk / "key", "--force").status == 0
    assert run("stream", "--bits", 800, "--unit", alice, "-o", users_desk / "stream", "--force").status == 0
    home = give_new_directory(users_desk / "home")
    provision = ("provision", users_desk / "office.ndksnet", "--bind", "--unit", f"emulator:{users_desk / 'unit'}")
    assert run(*provision, **{HOME: str(home)}).status == 0
    strangers = {name for name, who in owners(users_desk).items() if who != (USER, GROUP)}
    assert {name for name in strangers if not name.startswith("unit")} == set()
    assert owner(users_desk / "unit") == ROOT  # a new directory, not the user's state


def give_new_directory(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return give(path)


def test_a_new_home_is_the_users_in_the_users_directory(users_desk: Path) -> None:
    store = ndks.BindingStore(users_desk / ".config" / "ndks")
    store.prepare()
    assert set(owners(users_desk).values()) == {(USER, GROUP)}
    assert len(owners(users_desk)) == 5
    modes = {path.stat().st_mode & 0o777 for path in users_desk.rglob("*") if path.is_dir()}
    assert modes == {0o700}


def test_a_users_unit_stays_the_users(network: ndks.Network, tmp_path: Path) -> None:
    directory = give_new_directory(tmp_path / "unit")
    with ndks.open(f"emulator:{directory}", create=True) as unit:
        unit.bind(unit.provision(network, 1))
        unit.next_key(256)
    found = owners(directory)
    assert {"lock", "owner", "uid", "nvm.bin", ".gitignore"} <= found.keys()
    assert set(found.values()) == {(USER, GROUP)}
