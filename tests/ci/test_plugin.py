# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The plugin of pytest: what it costs, what it leaves behind, and units that the user names."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ndks
from ci.projects import TIMEOUT, run_pytest
from ndks_pytest import NetworkInTest, PortInTest, UnitInTest
from ndks_pytest import directory as made

Pair = tuple[UnitInTest, UnitInTest]


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Make a project with one file of tests."""

    def make(tests: str) -> Path:
        directory = tmp_path / "project"
        directory.mkdir()
        (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        (directory / "test_it.py").write_text(tests)
        return directory

    return make


def test_nothing_is_loaded_until_a_test_uses_a_fixture(project: Callable[[str], Path]) -> None:
    tests = "import sys\ndef test() -> None:\n    assert not {'ndks', 'ndks_protocol', 'numpy'} & set(sys.modules)\n"
    outcome = run_pytest(project(tests))
    assert outcome.counts == {"passed": 1}, outcome.output
    assert "ndks" in outcome.output.partition("plugins: ")[2].partition("\n")[0]


def test_names_of_the_package_are_loaded_at_their_first_use() -> None:
    code = "import ndks_pytest, sys; assert 'ndks' not in sys.modules; print(ndks_pytest.UnitInTest.__mro__[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=TIMEOUT)
    assert done.stdout == f"{ndks.Unit}\n"


LEAVES_NOTHING = """
import os, pytest, ndks
def test_pass(ndks_pair, ndks_port, ndks_home):
    assert os.environ["NDKS_HOME"] == str(ndks_home)
    assert os.environ["NDKS_UNIT"] == ndks_port
    assert ndks_home.is_dir()
def test_fail(ndks_unit, ndks_port):
    ndks_port.unplug()
    ndks_unit.cut_power()
    assert False
def test_without_them():
    assert os.environ["NDKS_HOME"] == os.environ["HOME_OF_USER"]
    assert os.environ["NDKS_UNIT"] == "emulator:user"
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_nothing_is_left_and_the_users_directory_is_not_touched(
    project: Callable[[str], Path], tmp_path: Path, options: tuple[str, ...]
) -> None:
    home = str(tmp_path / "home-of-user")
    tests = project(LEAVES_NOTHING)
    outcome = run_pytest(
        tests,
        *options,
        "--basetemp",
        str(tmp_path / "base"),
        NDKS_HOME=home,
        HOME_OF_USER=home,
        NDKS_UNIT="emulator:user",
    )
    assert outcome.counts == {"passed": 2, "failed": 1}, outcome.output
    assert not Path(home).exists()
    assert list((tmp_path / "project-home").iterdir()) == []
    (of_the_failure,) = set(re.findall(r"/[^ ']*/ndks-[^ /']*", outcome.output))
    assert not Path(of_the_failure).exists()


ON_A_UNIT = """
import pytest
def test_unit(ndks_unit):
    assert ndks_unit.next_key(8).bits == 8
def test_pair(ndks_pair): ...
def test_fault(ndks_unit): ndks_unit.cut_power()
def test_fault_of_port(ndks_port): ndks_port.unplug()
def test_port(ndks_port):
    import ndks
    with ndks.open() as unit:
        assert unit.next_key(8).bits == 8
def test_network(ndks_network): ...
"""


@pytest.mark.parametrize("options", [(), ("-n", "3")], ids=["alone", "xdist"])
def test_units_that_the_user_names(
    project: Callable[[str], Path],
    tmp_path: Path,
    ndks_network: NetworkInTest,
    options: tuple[str, ...],
    ndks_home: Path,
) -> None:
    """A unit behind a pty stands for a board: processes take turns, and what needs an emulator is skipped."""
    port = ndks_network.port()
    outcome = run_pytest(project(ON_A_UNIT), "-rs", *options, "--ndks-unit", port, NDKS_HOME=str(ndks_home))
    assert outcome.counts == {"passed": 2, "skipped": 4}, outcome.output
    assert f"--ndks-unit names {port}" in outcome.output
    with ndks.open(port) as unit:
        assert unit.next_key(8).index == 3


def test_two_units_that_the_user_names(
    project: Callable[[str], Path], ndks_network: NetworkInTest, ndks_home: Path
) -> None:
    tests = "def test(ndks_pair):\n    assert len({unit.next_key(8).data for unit in ndks_pair}) == 1\n"
    ports = [word for _ in range(2) for word in ("--ndks-unit", ndks_network.port())]
    outcome = run_pytest(project(tests), *ports, NDKS_HOME=str(ndks_home))
    assert outcome.counts == {"passed": 1}, outcome.output


def test_fixtures_share_the_units_that_the_user_names(
    project: Callable[[str], Path], ndks_network: NetworkInTest, ndks_home: Path
) -> None:
    """Each takes those that no other one has."""
    tests = (
        "import ndks\n"
        "def test(ndks_unit, ndks_port):\n"
        "    with ndks.open() as other:\n        assert other.next_key(8) == ndks_unit.next_key(8)\n"
        "def test_more(ndks_port, ndks_pair): ...\n"
    )
    ports = [word for _ in range(2) for word in ("--ndks-unit", ndks_network.port())]
    outcome = run_pytest(project(tests), "-rs", *ports, NDKS_HOME=str(ndks_home))
    assert outcome.counts == {"passed": 1, "skipped": 1}, outcome.output
    assert "needs 2 further units; of those that --ndks-unit names, 1 are free" in outcome.output


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("/dev/none", "--ndks-unit /dev/none: there is no port /dev/none. Do: "),
        ("emulator:none", "--ndks-unit emulator:none: there is no emulated unit in none. Do: "),
    ],
)
def test_port_of_no_unit_is_told_without_a_traceback(project: Callable[[str], Path], wrong: str, told: str) -> None:
    tests = "def test_unit(ndks_unit): ...\ndef test_port(ndks_port): ...\n"
    outcome = run_pytest(project(tests), "--ndks-unit", wrong)
    assert outcome.counts == {"errors": 2}, outcome.output
    assert outcome.output.count(f"\nE   {told}") + outcome.output.count(f"\n{told}") == 2, outcome.output
    assert "transport.py" not in outcome.output


def test_port_without_a_name_is_refused(project: Callable[[str], Path]) -> None:
    command = [sys.executable, "-m", "pytest", "--ndks-unit", ""]
    done = subprocess.run(command, cwd=project(""), capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "argument --ndks-unit: the name of the port is empty" in done.stderr


@pytest.mark.parametrize(
    ("image", "told"), [(None, "No such file or directory: 'image.uf2'"), (b"x", "image.uf2 is not a UF2 file. Do: ")]
)
def test_file_that_is_no_image_is_told(project: Callable[[str], Path], image: bytes | None, told: str) -> None:
    pytest.importorskip("ndks_chip", reason="ndks-chip is not installed")
    directory = project("def test(ndks_chip): ...\n")
    if image:
        (directory / "image.uf2").write_bytes(image)
    outcome = run_pytest(directory, NDKS_UF2="image.uf2")
    assert outcome.counts == {"error": 1}, outcome.output
    assert re.search(rf"^NDKS_UF2: .*{re.escape(told)}", outcome.output, re.MULTILINE), outcome.output


def test_chip_is_left_out_without_an_image(project: Callable[[str], Path]) -> None:
    outcome = run_pytest(project("def test(ndks_chip): ...\n"), "-rs")
    assert outcome.counts == {"skipped": 1}, outcome.output
    assert "NDKS_UF2 names no image" in outcome.output


def test_network_of_the_test(ndks_network: NetworkInTest, ndks_pair: Pair) -> None:
    members = ndks_network.network.members
    assert [member.serial_number for member in members] == [unit.hello.serial_number for unit in ndks_pair]
    (more,) = ndks_network.units(1)
    assert more.next_key(8) == ndks_pair[0].next_key(8)
    assert more.unseal(ndks_pair[0].seal(b"x")) == b"x"


def test_units_are_bound_here_and_trust_this_laptop_only(ndks_pair: Pair) -> None:
    alice, bob = ndks_pair
    assert alice.is_bound_here
    alice.trust(bob.unlock().lane, "11" * 16)
    with pytest.raises(ndks.AuthenticationError) as refused:
        alice.unseal(bob.seal(b"x"))
    assert refused.value.code == "BINDING"


@pytest.mark.parametrize("steps", range(6))
def test_power_of_a_unit_that_fails_at_some_step(ndks_unit: UnitInTest, steps: int) -> None:
    ndks_unit.cut_power(steps)
    taken = [0]
    with pytest.raises(ndks.UnitRemoved):
        taken += (ndks_unit.next_key(8).index for _ in range(10))
    with pytest.raises(ndks.UnitRemoved):
        ndks_unit.status()
    ndks_unit.plug_in()
    assert ndks_unit.next_key(8).index in (taken[-1] + 1, taken[-1] + 2)


def test_case_of_a_unit_that_is_opened(ndks_unit: UnitInTest) -> None:
    ndks_unit.open_case()
    for _ in range(2):
        with pytest.raises(ndks.DeviceError) as refused:
            ndks_unit.next_key(8)
        assert refused.value.code == "TAMPERED"
        ndks_unit.plug_in()
    ndks_unit.zeroize()
    assert ndks_unit.status().state == "blank"


def test_port_outlives_its_unit(ndks_port: PortInTest) -> None:
    with ndks.open() as unit:
        assert unit.next_key(8).index == 1
        ndks_port.cut_power()
        with pytest.raises(ndks.UnitRemoved):
            unit.next_key(8)
    with pytest.raises(ndks.NoUnit):
        ndks.open()
    ndks_port.plug_in()
    with ndks.open(ndks_port) as unit:
        assert unit.next_key(8).index == 2


def test_fault_that_is_impossible_now_is_told(ndks_port: PortInTest) -> None:
    ndks_port.unplug()
    with pytest.raises(RuntimeError, match="the power is off"):
        ndks_port.cut_power()


PROCESS_KILLED = """
import pytest
def test(ndks_port):
    ndks_port._process.kill()
    ndks_port._process.wait()
    for fault in (ndks_port.unplug, ndks_port.plug_in):
        with pytest.raises(RuntimeError, match="the unit has ended"):
            fault()
"""


def test_unit_whose_process_was_killed_is_told(project: Callable[[str], Path]) -> None:
    outcome = run_pytest(project(PROCESS_KILLED))
    assert outcome.counts == {"passed": 1}, outcome.output


KILLED = """
import os, pathlib
from ndks_pytest import directory
directory._MEMORY = pathlib.Path("../memory").resolve()
def test(ndks_port):
    print(ndks_port, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_killed_pytest_leaves_no_process_and_its_directory_to_the_next(
    project: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"  # in the system's, the tests of other processes remove what was left there
    memory.mkdir()
    monkeypatch.setattr(made, "_MEMORY", memory)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--basetemp", str(tmp_path / "base")]
    done = subprocess.run(command, cwd=project(KILLED), capture_output=True, text=True, check=False, timeout=TIMEOUT)
    # stderr is shared with the unit: this returns when both have ended
    assert done.returncode == -9, done.stdout + done.stderr
    left = Path(done.stdout.split()[-1]).parent
    assert left.is_dir()
    with made.made_directory(tmp_path) as first:
        assert not left.exists()
        with made.made_directory(tmp_path) as second:
            assert first.is_dir()
            assert second.parent == first.parent == left.parent == memory
    assert not first.exists()


def test_without_memory_the_directory_is_that_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "_MEMORY", tmp_path / "nowhere")
    with made.made_directory(tmp_path) as directory:
        assert directory.parent == tmp_path
    assert list(tmp_path.iterdir()) == []
