# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The examples in README and docs equal the real output."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from transcripts import PAGES, ROOT, stale_blocks

from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS
from ndks_laboratory.homologation.adversaries.roster import ACTIVE, NETWORK, PASSIVE
from ndks_laboratory.homologation.requirements import REQUIREMENTS

HOMOLOGATION = (ROOT / "docs" / "homologation.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_transcripts_and_python_examples(page: Path, tmp_path: Path) -> None:
    assert [block.shown for block in stale_blocks(page, tmp_path)] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 7000


def test_the_requirements_are_those_of_homologation() -> None:
    rows = re.findall(r"^met +(R\d+) +(.*)$", HOMOLOGATION, re.MULTILINE)
    assert rows == [(requirement.id, requirement.text) for requirement in REQUIREMENTS]


def test_the_adversaries_are_those_of_homologation() -> None:
    rows = re.findall(r"^withstood +(\w+) +(.*) \([^)]* s\)$", HOMOLOGATION, re.MULTILINE)
    everybody = [(adversary.label, adversary.name) for adversary in (*PASSIVE, *ACTIVE, *NETWORK)]
    assert rows == [*everybody[:2], everybody[-1]]


def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path) -> None:
    page, command = tmp_path / "page.md", "$ for i in 1 2; do sha256sum < /dev/null | cut -c 1-16; done\n"
    page.write_text(f"```\n{command}00000000000000aa\n00000000000000aa\n```\n")
    assert stale_blocks(page, tmp_path) == []
    page.write_text(f"```\n{command}00000000000000aa\n00000000000000bb\n```\n")
    assert [block.shown for block in stale_blocks(page, tmp_path)] == [command + "00000000000000aa\n" * 2]


def test_the_ports_of_a_page_may_be_taken(tmp_path: Path) -> None:
    listen = "python -c \"import socket; socket.create_server(('127.0.0.1', 27299)); print('listens at 27299')\""
    page = tmp_path / "page.md"
    page.write_text(f"```\n$ {listen}\nlistens at 27299\n```\n")
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # it is taken
            other.bind(("127.0.0.1", 27299))
        assert stale_blocks(page, tmp_path) == []


def test_the_administered_network_of_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its block runs as it is written, in one shell; its agents end with it."""
    (block,) = re.findall(r"^    ndks network new team.*?\n(?=\n)", (ROOT / "README.md").read_text(), re.M | re.S)
    with tempfile.TemporaryDirectory(prefix="ndks-") as short:  # paths of sockets
        monkeypatch.setenv(SOCKETS, short)
        monkeypatch.setenv(HOME, str(tmp_path / "home"))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        script = f"set -e; trap 'kill $(jobs -p)' EXIT\n{block}"
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\d+  1  Meet me at noon\.$", done.stdout, re.M)
    assert re.search(r"^unit [0-9A-F]{16} \(lane \d+, carol\) is revoked$", done.stdout, re.M)
