# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The files of sockets: for the right users from the first moment, and in nobody else's directory."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ndks
from ndks.line.services import SOCKETS
from ndks.service import sockets
from ndks.service.scopes import SCOPES

UID = "4E444B5300000001"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SOCKETS, str(tmp_path))
    return tmp_path / "ndks"


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def mask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def close(listeners: dict[str, socket.socket]) -> None:
    for listener in listeners.values():
        listener.close()


@pytest.mark.usefixtures("mask")
def test_they_are_of_this_user_alone_from_the_beginning(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    bind = socket.socket.bind

    def watched(listener: socket.socket, path: str) -> None:
        bind(listener, path)
        seen.append(mode(Path(path)))

    monkeypatch.setattr(sockets.socket.socket, "bind", watched)
    with sockets.made(UID) as listeners:
        assert [mode(directory), mode(directory / UID)] == [0o700, 0o700]
        assert seen == [0o600] * len(SCOPES)
        close(listeners)
    assert [path.name for path in (directory / UID).iterdir()] == ["lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives files to groups")
@pytest.mark.usefixtures("mask")
def test_those_of_root_are_for_their_groups(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SYSTEM", directory)
    monkeypatch.setattr(sockets, "_group", {"keys": 12345}.get)
    with sockets.made(UID) as listeners:
        assert [mode(directory), mode(directory / UID)] == [0o755, 0o755]
        found = {scope: (directory / UID / scope).stat() for scope in ("keys", "gate")}
        assert {scope: (each.st_mode & 0o777, each.st_gid) for scope, each in found.items()} == {
            "keys": (0o660, 12345),
            "gate": (0o600, os.getegid()),
        }
        close(listeners)


def _link(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(path.parents[1], target_is_directory=True)


def _for_all(path: Path) -> None:
    path.mkdir(parents=True)
    path.chmod(0o777)


def _file(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.touch()


@pytest.mark.parametrize("place", [".", UID])
@pytest.mark.parametrize("make", [_link, _for_all, _file])
def test_a_directory_that_others_may_change_is_refused(
    directory: Path, make: Callable[[Path], None], place: str
) -> None:
    make(directory / place)
    with pytest.raises(ndks.FileError, match="alone"), sockets.made(UID):
        pytest.fail("sockets were made")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives a directory to another user")
def test_a_directory_of_another_user_is_refused(directory: Path) -> None:
    directory.mkdir()
    os.chown(directory, 12345, 12345)
    with pytest.raises(ndks.FileError, match="alone"), sockets.made(UID):
        pytest.fail("sockets were made")


def test_two_services_of_one_unit() -> None:
    with sockets.made(UID) as listeners:
        with pytest.raises(ndks.UnitBusy, match=UID), sockets.made(UID):
            pytest.fail("sockets were made")
        close(listeners)


@pytest.mark.parametrize(
    ("names", "count"), [("keys:other", "2"), ("keys:keys", "2"), ("keys", "2"), ("", "0"), ("keys", "many")]
)
def test_sockets_that_systemd_did_not_name_well(monkeypatch: pytest.MonkeyPatch, names: str, count: str) -> None:
    for name, value in (("PID", str(os.getpid())), ("FDS", count), ("FDNAMES", names)):
        monkeypatch.setenv(f"LISTEN_{name}", value)
    with pytest.raises(ndks.UsageError, match="scope"):
        sockets.passed()


def test_sockets_that_systemd_has_passed_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    assert sockets.passed() == {}
