# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The units for systemd, and sockets that it passes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, emulated, wait_until
from support.public_network import public_network

import ndks
from ndks.service.scopes import SCOPES

UNITS = Path(__file__).parents[2] / "hardware" / "systemd"
INSTANCE = "4E444B5300000001"
_PASS = """
import os, sys
for place, descriptor in enumerate(sys.argv[1].split(",")):
    os.dup2(int(descriptor), 3 + place)
os.environ["LISTEN_PID"] = str(os.getpid())  # exec keeps it
os.execv(sys.argv[2], sys.argv[2:])
"""


def settings(name: str) -> dict[str, str]:
    lines = (UNITS / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_there_is_a_socket_of_each_scope() -> None:
    service = settings("ndks@.service")
    assert service["WantedBy"] == "multi-user.target"
    assert service["Sockets"].split() == [f"ndks-{scope}@%i.socket" for scope in SCOPES]
    for scope in SCOPES:
        found = settings(f"ndks-{scope}@.socket")
        assert found["ListenStream"] == f"/run/ndks/%i/{scope}"
        assert (found["FileDescriptorName"], found["Service"]) == (scope, "ndks@%i.service")
        assert (found["SocketMode"], found.get("SocketGroup")) == (
            ("0600", None) if scope == "admin" else ("0660", f"ndks-{scope}")
        )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_understands_them(tmp_path: Path) -> None:
    for file in UNITS.iterdir():
        text = file.read_text().replace("/usr/local/bin/ndks", sys.executable)  # it has to exist
        (tmp_path / file.name.replace("@", f"@{INSTANCE}")).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_agent_uses_the_services_socket_and_no_device() -> None:
    agent = settings("ndks-network@.service")
    assert agent["Type"] == "notify"
    assert agent["ExecStart"] == "/usr/local/bin/ndks agent --unit %i $NDKS_CARRIERS"
    assert float(agent["RestartSec"]) > 2  # five starts in ten seconds, and systemd gives up
    assert agent["TimeoutStartSec"] == "infinity"  # as long as the unit is away
    assert agent["SupplementaryGroups"] == settings("ndks-agent@.socket")["SocketGroup"]
    assert agent["Requires"] == "ndks-agent@%i.socket"
    assert (agent["DevicePolicy"], "DeviceAllow" in agent) == ("closed", False)
    service = settings("ndks@.service")
    hardened = {name for name in service if name.startswith(("Protect", "Restrict", "Lock", "Private", "SystemCall"))}
    assert {name: agent[name] for name in hardened - {"RestrictAddressFamilies"}} == {
        name: service[name] for name in hardened - {"RestrictAddressFamilies"}
    }


def test_the_server_of_keys_uses_the_services_socket_and_no_device() -> None:
    server, agent = settings("ndks-serve@.service"), settings("ndks-network@.service")
    assert server["Type"] == "notify"
    assert server["ExecStart"] == "/usr/local/bin/ndks serve --unit unix:/run/ndks/%i/gate --config /etc/ndks/%i.toml"
    assert server["SupplementaryGroups"] == settings("ndks-gate@.socket")["SocketGroup"]
    assert server["Requires"] == "ndks-gate@%i.socket"
    hardened = {name for name in agent if name.startswith(("Protect", "Restrict", "Lock", "Private", "SystemCall"))}
    assert {name: server[name] for name in hardened} == {name: agent[name] for name in hardened}
    assert (server["DevicePolicy"], "DeviceAllow" in server) == ("closed", False)


def test_a_tunnel_uses_the_services_socket_and_no_device() -> None:
    tunnel, agent = settings("ndks-tunnel@.service"), settings("ndks-network@.service")
    assert tunnel["ExecStart"] == "/usr/local/bin/ndks tunnel run %i $NDKS_TUNNEL"
    assert tunnel["SupplementaryGroups"] == settings("ndks-gate@.socket")["SocketGroup"]
    assert tunnel["User"] != agent["User"]
    own = {
        "User",
        "SupplementaryGroups",
        "LimitNOFILE",
        "MemoryMax",
        "TimeoutStartSec",
    }  # it is ready when its addresses are taken
    same = {name for name in tunnel.keys() | agent.keys() if not name.startswith(("Exec", "Env", "State", "Runtime"))}
    of_service = {"Description", "Requires", "After"} | own
    assert {name: tunnel.get(name) for name in same - of_service} == {
        name: agent.get(name) for name in same - of_service
    }


def test_pre_shared_keys_use_the_services_socket_and_no_device() -> None:
    psk, tunnel = settings("ndks-psk@.service"), settings("ndks-tunnel@.service")
    assert psk["ExecStart"] == "/usr/local/bin/ndks psk %i $NDKS_PSK"
    assert psk["SupplementaryGroups"] == settings("ndks-gate@.socket")["SocketGroup"]
    assert psk["TimeoutStartSec"] == "infinity"  # as long as there is no first key
    hardened = {name for name in tunnel if name.startswith(("Protect", "Restrict", "Lock", "Private", "SystemCall"))}
    differing = {name for name in hardened if psk.get(name) != tunnel[name]}
    assert differing == {"RestrictAddressFamilies", "ProtectProc"}  # WireGuard's; it looks whether the broker runs
    assert (psk["DevicePolicy"], "DeviceAllow" in psk) == ("closed", False)


def test_the_agent_tells_when_it_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    with emulated(tmp_path / "unit") as unit, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        command = ["agent", "--unit", unit.port, "--carrier", f"dir:{tmp_path / 'shared'}"]
        with _Killed(
            [sys.executable, "-m", "ndks", *command],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as agent:
            assert systemd.recv(100) == b"READY=1"
            agent.send_signal(signal.SIGTERM)
            assert systemd.recv(100) == b"STOPPING=1"
            assert agent.wait(PATIENCE) == 0


def test_passed_sockets_are_used_and_kept(tmp_path: Path) -> None:
    with emulated(tmp_path / "unit") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        listeners = {scope: socket.socket(socket.AF_UNIX) for scope in ("keys", "admin")}
        for scope, listener in listeners.items():
            listener.bind(str(tmp_path / scope))
            listener.listen()
        with served_by_systemd(unit.port, listeners) as service:
            with passed(tmp_path, "keys") as keys, passed(tmp_path, "admin") as admin:
                assert keys.next_key(64).index == 1
                admin.release(1)
            service.send_signal(signal.SIGTERM)
            assert service.wait(PATIENCE) == 0
        assert (tmp_path / "keys").is_socket()
        with served_by_systemd(unit.port, listeners):  # at the next connection
            wait_until(lambda: _next_key(tmp_path) == 2, "the unit is there again")
        for listener in listeners.values():
            listener.close()


def passed(directory: Path, scope: str) -> ndks.Unit:
    """Open a socket that listens before the service runs, which has all the time of a new Python to answer."""
    return ndks.open(f"unix:{directory / scope}", PATIENCE)


def _next_key(directory: Path) -> int:
    try:
        with passed(directory, "keys") as keys:
            return keys.next_key(64).index
    except ndks.NoUnit:
        return 0


def served_by_systemd(port: str, listeners: dict[str, socket.socket]) -> "subprocess.Popen[bytes]":
    """Start a service as systemd does, with sockets from descriptor 3 on."""
    names = {"LISTEN_FDS": str(len(listeners)), "LISTEN_FDNAMES": ":".join(listeners)}
    descriptors = [listener.fileno() for listener in listeners.values()]
    command = [sys.executable, "-m", "ndks", "service", "--unit", port]
    return _Killed(
        [sys.executable, "-c", _PASS, ",".join(map(str, descriptors)), *command],
        env=os.environ | names,
        pass_fds=descriptors,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class _Killed(subprocess.Popen[bytes]):
    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait(PATIENCE)
