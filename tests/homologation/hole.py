# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A hole in two cages: a pair of virtual Ethernet interfaces, one in each cage."""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence

import pytest
from pyroute2 import IPRoute, NetNS

from ndks_laboratory.stages import no_channel
from ndks_laboratory.stages.no_channel import Probe
from ndks_laboratory.stages.processes import SideProcess

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can put an interface into another's namespace")


def make_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect the two cages before they are probed."""
    probe = no_channel._probe

    def probe_with_a_hole(processes: Sequence[SideProcess], *, caged: bool) -> list[Probe]:
        if caged:
            for process in processes:
                process.ask("describe")  # it is in its cage
            _veth(*(process.pid for process in processes))
        return probe(processes, caged=caged)

    monkeypatch.setattr(no_channel, "_probe", probe_with_a_hole)


def _veth(*pids: int) -> None:
    """Connect the network namespaces of two processes."""
    subprocess.run([sys.executable, __file__, *map(str, pids)], check=True, timeout=60)  # NetNS forks


def _connect(*pids: int) -> None:
    names = [f"hole{secrets.token_hex(3)}" for _ in pids]
    with IPRoute() as outside:
        outside.link("add", ifname=names[0], kind="veth", peer={"ifname": names[1], "net_ns_pid": pids[1]})
        outside.link("set", index=outside.link_lookup(ifname=names[0])[0], net_ns_pid=pids[0])
    for number, (pid, name) in enumerate(zip(pids, names, strict=True), start=1):
        with NetNS(f"/proc/{pid}/ns/net", flags=0) as inside:
            index = inside.link_lookup(ifname=name)[0]
            inside.addr("add", index=index, address=f"192.0.2.{number}", prefixlen=24)
            inside.link("set", index=index, state="up")


if __name__ == "__main__":
    _connect(*map(int, sys.argv[1:]))
