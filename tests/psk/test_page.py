# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""docs/consumers.md: what it shows of real programs of others, with two units behind two services."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from transcripts import ROOT, SHELL, commands_of, end_background, is_alike, run_in_shell

PAGE = ROOT / "docs" / "consumers.md"
_SECTION = re.compile(r"^(?:## (?P<title>[^\n]*)|# [^\n]*)\n(?P<text>.*?)(?=^## |\Z)", re.M | re.S)
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
_HOLDER = "import sys; print(flush=True); sys.stdin.read()"
CHARON = "/usr/lib/ipsec/charon"
_SBIN = "/usr/sbin/"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces with names")


def blocks_of(title: str | None) -> list[str]:
    (section,) = [found["text"] for found in _SECTION.finditer(PAGE.read_text()) if found["title"] == title]
    return _BLOCK.findall(section)


def check(block: str, directory: Path, shell: Sequence[str] = SHELL) -> None:
    shown = run_in_shell(commands_of(block), directory, shell)
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


@contextlib.contextmanager
def shell_with_its_own_run(directory: Path) -> Iterator[Sequence[str]]:
    """Yield a shell whose /run has no namespaces and no sockets of other test runs, or of one that was killed."""
    command = [
        "unshare",
        "--mount",
        "/bin/sh",
        "-c",
        f"mount -t tmpfs tmpfs /run && exec {sys.executable} -c '{_HOLDER}'",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        inside = ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", *SHELL]
        yield [*inside, 'cd "$0" && eval "$1"', str(directory)]  # whoever enters is at the root


def check_section(title: str, directory: Path, *, own_run: bool = False) -> None:
    """Run what a section shows, and end what it has started, whatever has failed."""
    with shell_with_its_own_run(directory) if own_run else contextlib.nullcontext(SHELL) as shell:
        try:
            for block in blocks_of(title):
                check(block, directory, shell)
        finally:
            end_background(directory)


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
    check_section("WireGuard", directory, own_run=True)


@pytest.mark.kernel
@pytest.mark.consumers("ip", "ping", f"swanctl|{_SBIN}swanctl", CHARON, "unshare")
@as_root
def test_strongswan(directory: Path) -> None:
    check_section("strongSwan", directory, own_run=True)
