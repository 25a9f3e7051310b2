# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Options of the test run, and the units that tests/unit is run against."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import support.kept_modules
import support.measured
import support.run_report
from hypothesis import HealthCheck, settings
from support.emulate_process import emulated
from support.power_cuts import power_cuts, pytest_terminal_summary  # noqa: F401 (a fixture, and a hook)
from support.public_network import NETWORK_NAME, public_network
from support.serve_process import served
from support.wheel import built  # noqa: F401 (a fixture)

import ndks
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS

_FIRST_START = 90.0  # seconds: a new chip has much to do before it answers, on a busy machine too

collect_ignore = ["example_project"]  # its tests run where the wheel is installed (tests/ci)

settings.register_profile(  # machines are shared: no test fails for being slow
    "ndks", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ndks")


def pytest_configure(config: pytest.Config) -> None:
    """Register plugins; keep the bindings and services of test units apart from those of the user."""
    config.pluginmanager.register(support.measured)
    config.pluginmanager.register(support.run_report)
    os.environ[SOCKETS] = tempfile.mkdtemp(prefix="ndks-run-")
    if not config.getoption("--unit"):  # a board stays bound to its laptop
        os.environ[HOME] = tempfile.mkdtemp(prefix="ndks-tests-")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return three processes for two cores: tests also wait, for other processes and for units that do not answer."""
    cores = os.cpu_count() or 1
    return cores + cores // 2


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(os.environ.pop(SOCKETS))
    if not config.getoption("--unit"):
        shutil.rmtree(os.environ.pop(HOME))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unit", metavar="PORT", help="run tests/unit against this unit instead of emulated ones")
    parser.addoption(
        "--may-provision",
        action="store_true",
        help="make that unit, if it is blank, a member of the public test network; ndks zeroize makes it blank again",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "port" in metafunc.fixturenames:
        device = pytest.param("device", marks=pytest.mark.hardware)
        chip = pytest.param("chip", marks=pytest.mark.chip)
        kinds = [device] if metafunc.config.getoption("--unit") else ["emulator", "pty", "service", chip]
        metafunc.parametrize("port", kinds, indirect=True, scope="module")


@pytest.fixture(autouse=True, scope="module")
def _home_of_the_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give each file of tests a laptop of its own: one looks at all of its bindings before it opens a unit."""
    with pytest.MonkeyPatch.context() as patch:
        if not request.config.getoption("--unit"):
            patch.setenv(HOME, str(tmp_path_factory.mktemp("laptop")))
        yield


@pytest.fixture(scope="module")
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the port of a unit that belongs to the public test network."""
    directory = tmp_path_factory.mktemp("unit") / "state"
    if request.param == "device":
        port = request.config.getoption("--unit")
        _join_test_network(port, may_provision=request.config.getoption("--may-provision"))
        yield port
    elif request.param == "service":
        with emulated(directory, "--pty") as running:
            _join_test_network(running.port, may_provision=True)
            with served(running.port) as service:
                yield service.port("admin")
    elif request.param in ("pty", "chip"):
        options = ["--chip", os.environ["NDKS_UF2"], "--speed", "max"] if request.param == "chip" else ["--pty"]
        with emulated(directory, *options) as running:
            _join_test_network(running.port, may_provision=True)
            yield running.port
    else:
        _join_test_network(f"emulator:{directory}", may_provision=True)
        yield f"emulator:{directory}"


@pytest.fixture
def unit(port: str) -> Iterator[ndks.Unit]:
    """An open unit of the public test network."""
    with ndks.open(port) as opened:
        yield opened


@pytest.fixture
def blank_unit(tmp_path: Path) -> Iterator[ndks.Unit]:
    """A new emulated unit in this process."""
    with ndks.open(f"emulator:{tmp_path / 'blank'}", create=True) as opened:
        yield opened


def _join_test_network(port: str, *, may_provision: bool) -> None:
    with ndks.open(port, _FIRST_START, create=True) as unit:
        status = unit.status()
        if status.state == "blank" and may_provision:
            unit.bind(unit.provision(public_network(), 1))
        elif status.network != NETWORK_NAME:
            what = f"a unit of network {NETWORK_NAME} that is bound to this laptop"
            pytest.exit(f"{port} is {status.state}; name {what}, or a blank one", 2)
