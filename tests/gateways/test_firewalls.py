# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The rules for nftables that docs/tunnel.md has: nothing passes between two sites but what the tunnel carries."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ndks_laboratory.stages.cage import find_cage

from . import firewalls
from .members import founded


@pytest.mark.kernel
@pytest.mark.consumers("nft", "ip", "nsenter")
def test_nothing_plain_passes_between_sites_and_the_tunnel_does(tmp_path: Path) -> None:
    cage = find_cage()
    rule = [*cage, "nft", "add", "table", "inet", "ndks"]
    if not cage or subprocess.run(rule, capture_output=True, check=False).returncode:
        pytest.skip("this system permits no rules of nftables")
    with founded(tmp_path) as network, tempfile.TemporaryDirectory(prefix="ndks-") as directory:
        gates = [member.gate for member in network.members]
        command = [*cage, sys.executable, firewalls.__file__, *gates, directory]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=firewalls.SECONDS + 10, check=False)
        logs = [path.read_text() for path in Path(directory).glob("*.log")]
        assert finished.returncode == 0, (finished.stderr, logs)
    seen = json.loads(finished.stdout)
    reached = {name for name, what in seen.items() if what == "echo"}
    assert reached == {"plain before", "tunnel", "datagram"}, (seen, logs)
    assert seen["plain"] == "No route to host"
