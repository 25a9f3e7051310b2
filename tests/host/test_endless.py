# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Endless files in place of small ones: refused at once, with a few megabytes of memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from host.running import Finished, assert_refused, environment
from support.emulate_process import PATIENCE

ENDLESS = Path("/dev/zero")
LIMITED = (
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); "
    "sys.argv[0] = 'ndks'; runpy.run_module('ndks', run_name='__main__')"
)

pytestmark = pytest.mark.skipif(not ENDLESS.exists(), reason="this system has no endless file")


def run_limited(*arguments: object, stdin: Path | None = None) -> Finished:
    with (stdin or Path("/dev/null")).open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, *map(str, arguments)],
            stdin=source,
            capture_output=True,
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ("network", "show", ENDLESS),
        ("provision", ENDLESS, "--unit", "emulator:unit"),
        ("decrypt", __file__, "--network", ENDLESS, "-o", "out"),
        ("bind", "--restore", ENDLESS),
        ("trust", 2, 0, "--network", ENDLESS),
    ],
)
def test_an_endless_file(arguments: tuple[object, ...]) -> None:
    finished = run_limited(*arguments)
    assert finished.status in (1, 2, 5), finished.stderr
    assert finished.error_code in ("FILE", "NETWORK_FILE", "VERSION")


@pytest.fixture
def unbound(network_file: Path, desk: Path) -> str:
    port = f"emulator:{desk / 'unit'}"
    assert run_limited("provision", network_file, "--unit", port).status == 0
    return port


@pytest.mark.parametrize("options", [("--code", ENDLESS), ()])
def test_an_endless_code(unbound: str, options: tuple[object, ...]) -> None:
    assert_refused(run_limited("bind", "--unit", unbound, *options, stdin=ENDLESS), "FILE", 1)
