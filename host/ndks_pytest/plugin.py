# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The fixtures and the option. What they need is imported by the first test that uses one."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from .network import NetworkInTest
    from .port import PortInTest
    from .unit import UnitInTest

_OPTION = "--ndks-unit"
_IMAGE = "NDKS_UF2"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("ndks", "units of NDKS").addoption(
        _OPTION,
        action="append",
        default=[],
        type=_named,
        metavar="PORT",
        help="use this unit, which is bound to this laptop, in place of an emulated one; may be repeated",
    )


@pytest.fixture
def ndks_home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Path | None]:
    """A new directory for bindings, in NDKS_HOME during the test; None with --ndks-unit: the user's has the binding.

    All that the fixtures make lies beside it, in memory where the system has a file system in memory, else in
    `tmp_path`, and is removed at the end.
    """
    if _ports(request):
        yield None
        return
    from .directory import made_directory

    with made_directory(tmp_path) as directory:
        monkeypatch.setenv("NDKS_HOME", str(directory / "home"))
        monkeypatch.delenv("NDKS_UNIT", raising=False)
        yield directory / "home"


@pytest.fixture
def ndks_network(ndks_home: Path | None) -> Generator[NetworkInTest]:
    """The network that all emulated units of the test belong to."""
    if ndks_home is None:
        pytest.skip(f"a network of the test needs emulated units; {_OPTION} names others")
    from .network import NetworkInTest

    with NetworkInTest(ndks_home) as network:
        yield network


@pytest.fixture
def _ndks_named(request: pytest.FixtureRequest) -> Generator[Callable[[int], list[str]] | None]:
    """A function that returns `count` ports which the user has named, each once in a test; None if there are none."""
    free = _ports(request)
    if not free:
        yield None
        return

    def take(count: int) -> list[str]:
        if count > len(free):
            pytest.skip(f"needs {count} further units; of those that {_OPTION} names, {len(free)} are free")
        taken, free[:count] = free[:count], []
        return taken

    with _turn(request):
        yield take


@pytest.fixture
def ndks_units(
    request: pytest.FixtureRequest, _ndks_named: Callable[[int], list[str]] | None
) -> Generator[Callable[[int], list[UnitInTest]]]:
    """A function that returns `count` open units of one network, bound to this laptop; called again, further ones."""
    named = _ndks_named
    if not named:
        network: NetworkInTest = request.getfixturevalue("ndks_network")
        yield network.units
        return
    with contextlib.ExitStack() as stack:
        yield lambda count: [stack.enter_context(_opened(port)) for port in named(count)]


@pytest.fixture
def ndks_unit(ndks_units: Callable[[int], list[UnitInTest]]) -> UnitInTest:
    """An open unit in this process, a member of a network, bound to this laptop."""
    return ndks_units(1)[0]


@pytest.fixture
def ndks_pair(ndks_units: Callable[[int], list[UnitInTest]]) -> tuple[UnitInTest, UnitInTest]:
    """Two such units of one network: they give equal keys and open each other's messages."""
    first, second = ndks_units(2)
    return first, second


@pytest.fixture
def ndks_port(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    _ndks_named: Callable[[int], list[str]] | None,
) -> PortInTest:
    """The port of a bound unit in a process of its own, for programs that open units themselves.

    NDKS_UNIT names it during the test, so that `ndks.open()` opens it.
    """
    if _ndks_named:
        from .port import PortInTest

        port = PortInTest(_ndks_named(1)[0])
        _opened(port).close()  # a wrong port is reported here; programs may report it in other words, or not at all
    else:
        network: NetworkInTest = request.getfixturevalue("ndks_network")
        port = network.port()
    monkeypatch.setenv("NDKS_UNIT", port)
    return port


@pytest.fixture
def ndks_chip(ndks_network: NetworkInTest, monkeypatch: pytest.MonkeyPatch) -> PortInTest:
    """As `ndks_port`, with the firmware of a board on an emulated chip; needs ndks-chip, and an image in NDKS_UF2."""
    image = os.environ.get(_IMAGE)
    if not image:
        pytest.skip(f"{_IMAGE} names no image of CircuitPython")
    pytest.importorskip(
        "ndks_chip", reason="ndks-chip is not installed: pip install ./emulator/chip in a clone of NDKS"
    )
    from .blame import blamed

    with blamed(_IMAGE):
        port = ndks_network.chip(Path(image))
    monkeypatch.setenv("NDKS_UNIT", port)
    return port


def _named(port: str) -> str:
    if not port:  # such as a variable that is not set
        raise argparse.ArgumentTypeError("the name of the port is empty")
    return port


def _opened(port: str) -> UnitInTest:
    from .blame import blamed
    from .unit import opened

    with blamed(f"{_OPTION} {port}"):
        return opened(port)


def _ports(request: pytest.FixtureRequest) -> list[str]:
    return list(cast(list[str], request.config.getoption(_OPTION)))


@contextlib.contextmanager
def _turn(request: pytest.FixtureRequest) -> Generator[None]:
    """Let one process of pytest-xdist at a time use the units that the user has named."""
    from filelock import FileLock

    base: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    shared = base.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else base.getbasetemp()
    with FileLock(shared / "ndks-unit.lock"):
        yield
