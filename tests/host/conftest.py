# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Networks, units and small disks for the tests of the host."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from host.laptops import Laptop, words_of
from host.running import Finished
from support.emulate_process import emulated
from support.serve_process import served

import ndks
from ndks.cli import main

MakeUnit = Callable[..., str]
Call = Callable[..., Finished]


@pytest.fixture(autouse=True)
def no_unit_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the unit that the user may have chosen with NDKS_UNIT."""
    monkeypatch.delenv("NDKS_UNIT", raising=False)


@pytest.fixture(scope="session")
def network() -> ndks.Network:
    return ndks.Network.new("office")


@pytest.fixture
def network_file(network: ndks.Network, tmp_path: Path) -> Path:
    path = tmp_path / "office.ndksnet"
    network.save(path)
    return path


@pytest.fixture
def make_unit(network: ndks.Network, tmp_path: Path) -> MakeUnit:
    """Make a provisioned emulated unit, and return the name of its port."""

    def make(name: str, lane: int = 1, member_of: ndks.Network = network) -> str:
        port = f"emulator:{tmp_path / name}"
        with ndks.open(port, create=True) as unit:
            unit.bind(unit.provision(member_of, lane))
        return port

    return make


@pytest.fixture
def alice(make_unit: MakeUnit) -> str:
    return make_unit("alice")


@pytest.fixture
def bob(make_unit: MakeUnit) -> str:
    return make_unit("bob", 2)


@pytest.fixture(params=["in process", "pty", "tcp", "service"])
def each_line(request: pytest.FixtureRequest, alice: str) -> Iterator[str]:
    """The port of a unit, over each kind of line."""
    if request.param == "in process":
        yield alice
    else:
        options = ["--tcp", "0"] if request.param == "tcp" else []
        with emulated(Path(alice.removeprefix("emulator:")), *options) as running:
            if request.param == "service":
                with served(running.port) as service:
                    yield service.port("admin")
            else:
                yield running.port


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An empty directory for the commands under test."""
    desk = tmp_path / "desk"
    desk.mkdir()
    return desk


@pytest.fixture
def here(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "here")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "elsewhere")


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Return the port of a unit that does not exist yet."""
    return f"emulator:{tmp_path / 'unit'}"


@pytest.fixture
def words(elsewhere: Laptop, network_file: Path, place: str) -> str:
    """Return the transport code of a unit that was provisioned on the other laptop."""
    return words_of(elsewhere.run("provision", network_file, "--unit", place))


@pytest.fixture
def bound(here: Laptop, network_file: Path, place: str) -> str:
    """Return the port of a unit bound to this laptop."""
    assert here.run("provision", network_file, "--bind", "--unit", place).status == 0
    return place


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Run a command inside this process, for tests with many cases: starting a process for each would take too long."""

    def call_main(*arguments: object) -> Finished:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as exit_of_argparse:
            status = int(exit_of_argparse.code or 0)
        captured = capsysbinary.readouterr()
        return Finished(status, captured.out, captured.err.decode())

    return call_main


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 384 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=384k,mode=0700", "ndks-test", str(disk)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only, and not in every container")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
