# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A real charon without a peer: what it has of a key, and what is done when it was started anew."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, wait_until

from ndks.exceptions import FileError
from ndks_gateways.psk.consumer import ConsumerFailed
from ndks_gateways.psk.rotation import Given, Step
from ndks_gateways.psk.strongswan import StrongSwan

from .test_page import CHARON, as_root

pytestmark = [pytest.mark.kernel, pytest.mark.consumers("swanctl|/usr/sbin/swanctl", CHARON, "unshare"), as_root]

_SETTINGS = """
charon {{
  load = random nonce openssl kdf kernel-netlink socket-default vici
  plugins {{ vici {{ socket = unix://{0}/vici }} }}
}}
"""
_CONNECTIONS = """
connections {
  gw { version = 2
    local_addrs = 127.0.0.1
    remote_addrs = 127.0.0.2
    ppk_id = none
    ppk_required = yes
    local { auth = psk }
    remote { auth = psk } }
  other { version = 2
    remote_addrs = 127.0.0.3
    local { auth = psk }
    remote { auth = psk } }
}
"""
FIRST, SECOND = (Given(Step(1 << 16, number), bytes([number]) * 32) for number in (1, 2))


def listens(path: Path) -> bool:
    """Whether somebody takes connections: the file is there earlier."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


@contextlib.contextmanager
def charon(directory: Path) -> Iterator[None]:
    """Run a charon in namespaces of its own."""
    (directory / "vici").unlink(missing_ok=True)
    command = ["unshare", "-n", "-m", "sh", "-c", "mount -t tmpfs tmpfs /run && exec /usr/lib/ipsec/charon"]
    with (directory / "log").open("a") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: listens(directory / "vici"), "charon listens")
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def taker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StrongSwan:
    (tmp_path / "strongswan.conf").write_text(_SETTINGS.format(tmp_path))
    (tmp_path / "swanctl.conf").write_text(_CONNECTIONS)
    monkeypatch.setenv("STRONGSWAN_CONF", str(tmp_path / "strongswan.conf"))
    return StrongSwan(f"unix://{tmp_path}/vici", "gw", tmp_path / "swanctl.conf", "office")


def load(directory: Path) -> None:
    """Load the connections, as strongSwan's service does after its start."""
    command = ["swanctl", "--load-conns", "--file", "swanctl.conf", "--uri", f"unix://{directory}/vici"]
    path = f"{os.environ['PATH']}:/usr/sbin"
    subprocess.run(command, cwd=directory, env=os.environ | {"PATH": path}, capture_output=True, check=True)


def test_keys_follow_each_other_and_a_new_charon_gets_the_present_one(taker: StrongSwan, tmp_path: Path) -> None:
    with charon(tmp_path):
        with pytest.raises(ConsumerFailed, match="charon has no connection gw"):
            taker.give(FIRST)
        load(tmp_path)
        assert not taker.has(FIRST)
        taker.give(FIRST)
        assert taker.has(FIRST)
        taker.give(SECOND)
        taker.give(SECOND)
        assert (taker.has(FIRST), taker.has(SECOND)) == (False, True)
        with taker._session() as session:
            assert session.get_shared()["keys"] == [b"office.1.0.2"]
            assert sorted(session.get_conns()["conns"]) == [b"gw", b"other"]
    with pytest.raises(ConsumerFailed):
        taker.has(SECOND)
    with charon(tmp_path):
        load(tmp_path)
        assert not taker.has(SECOND)
        taker.give(SECOND)
        assert taker.has(SECOND)


def test_a_connection_of_another_file_is_not_touched(tmp_path: Path, taker: StrongSwan) -> None:
    with charon(tmp_path):
        load(tmp_path)
        (tmp_path / "parts").mkdir()
        (tmp_path / "swanctl.conf").rename(tmp_path / "parts" / "gateways")
        with pytest.raises(FileError):
            taker.give(FIRST)
        (tmp_path / "swanctl.conf").write_text("connections { gw-2 { } }")
        with pytest.raises(ConsumerFailed, match="is not in"):
            taker.give(FIRST)
        with taker._session() as session:
            assert session.get_shared()["keys"] == []
            assert sorted(session.get_conns()["conns"]) == [b"gw", b"other"]
        (tmp_path / "swanctl.conf").write_text("include parts/*\n")
        taker.give(FIRST)
        assert taker.has(FIRST)
