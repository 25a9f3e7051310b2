# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""docs/consumers.md: what it shows of real programs of others, with two units behind two services."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from transcripts import ROOT, commands_of, end_background, is_alike, run_in_shell

PAGE = ROOT / "docs" / "consumers.md"
_SECTION = re.compile(r"^(?:## (?P<title>[^\n]*)|# [^\n]*)\n(?P<text>.*?)(?=^## |\Z)", re.M | re.S)
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
_NAMESPACE = re.compile(r"ip netns add (\S+)")
CHARON = "/usr/lib/ipsec/charon"
_SBIN = "/usr/sbin/"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces with names")


def blocks_of(title: str | None) -> list[str]:
    (section,) = [found["text"] for found in _SECTION.finditer(PAGE.read_text()) if found["title"] == title]
    return _BLOCK.findall(section)


def check(block: str, directory: Path) -> None:
    shown = run_in_shell(commands_of(block), directory)
    assert is_alike(block, shown), shown


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which the services of two sites run."""
    made = tmp_path_factory.mktemp("page")
    try:
        for block in blocks_of(None):
            check(block, made)
        yield made
    finally:
        end_background(made / "run")


def check_section(title: str, directory: Path) -> None:
    """Run what a section shows, and clean up, whatever has failed."""
    try:
        for block in blocks_of(title):
            check(block, directory)
    finally:
        end_background(directory)
        for name in _NAMESPACE.findall(" ".join(blocks_of(title))):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.mark.consumers("openssl", "timeout")
def test_openssl(directory: Path) -> None:
    check_section("Any program: TLS 1.3 with OpenSSL", directory)


@pytest.mark.consumers(f"mosquitto|{_SBIN}mosquitto", "mosquitto_pub", "mosquitto_sub")
@as_root
def test_mosquitto(directory: Path) -> None:
    check_section("Mosquitto", directory)


@pytest.mark.kernel
@pytest.mark.consumers("ip", "ping", "wg", "wireguard-go")
@as_root
def test_wireguard(directory: Path) -> None:
    check_section("WireGuard", directory)


@pytest.mark.kernel
@pytest.mark.consumers("ip", "ping", f"swanctl|{_SBIN}swanctl", CHARON, "unshare")
@as_root
def test_strongswan(directory: Path) -> None:
    check_section("strongSwan", directory)
