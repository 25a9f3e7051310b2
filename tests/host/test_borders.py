# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exceptions of libraries other than OSError: each is caught at its border and becomes a clear error."""

import errno
import fcntl
import json
import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import platformdirs
import psutil
import pytest
import usb.core
from host.conftest import Call
from host.fake_usb import FakeUsbDevice, fake_port, plug_in_devices, plug_in_ports
from host.refusing import refuse
from host.running import assert_refused, run
from serial.tools import list_ports

import ndks
from ndks.driver import streams as download
from ndks.laptop import bindings as binding_store
from ndks.laptop import fingerprint
from ndks.laptop.fingerprint import characteristics
from ndks.laptop.homes import HOME
from ndks.line import discovery
from ndks.line import usb as ndks_usb
from ndks_emulator import MemoryUnit
from ndks_laboratory.faraday import find_channels
from ndks_laboratory.faraday.computer import Computer
from ndks_laboratory.stages import cage

ALICE = "E66038B713596E2A"
PULLED = [
    TypeError("int() can't convert non-string with explicit base"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ValueError("invalid literal"),
    FileNotFoundError(errno.ENOENT, "gone"),
    AttributeError("gone"),
]


class Failing:
    """A callable that fails the given number of times and then returns a value."""

    def __init__(self, error: Exception, times: int = 1 << 30, value: Any = None) -> None:
        self._error, self._left, self._value = error, times, value

    def __call__(self, *_: object, **__: object) -> Any:
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return self._value


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without an entry in the user database, as with `docker run -u 12345`."""
    for name in (HOME, "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", Failing(KeyError("getpwuid(): uid not found: 12345")))


@pytest.mark.usefixtures("homeless")
def test_no_home(call: Call, network_file: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    for command in (["provision", network_file, "--bind"], ["provision", network_file], ["info"], ["key"]):
        finished = call(*command, "--unit", "emulator:alice")
        assert_refused(finished, "FILE", 1)
        assert "home" in finished.stderr
        assert HOME in finished.advice
    assert list(desk.iterdir()) == []
    assert ndks.Network.load(network_file).next_lane == 1
    monkeypatch.setenv(HOME, str(desk / "home"))
    assert call("provision", network_file, "--bind", "--unit", "emulator:alice").status == 0


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: Path("~/.config/ndks"),
        lambda _: Path("relative"),
        Failing(RuntimeError("no home")),
        Failing(KeyError()),
    ],
)
def test_no_home_as_versions_of_platformdirs_say_it(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME)
    monkeypatch.setattr(platformdirs, "user_config_path", answer)
    with pytest.raises(ndks.FileError, match="no home directory"):
        binding_store.home()


def test_a_home_that_cannot_be_made(
    call: Call, network_file: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "file").touch()
    monkeypatch.setenv(HOME, str(desk / "file" / "below"))
    finished = call("provision", network_file, "--bind", "--unit", f"emulator:{desk / 'alice'}")
    assert_refused(finished, "FILE", 1)
    assert HOME in finished.advice
    assert ndks.Network.load(network_file).next_lane == 1


@pytest.mark.parametrize("error", PULLED)
def test_a_device_that_is_pulled_while_ports_are_listed(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_devices(monkeypatch)
    monkeypatch.setattr(list_ports, "comports", Failing(error, 1, [fake_port("/dev/ttyACM1", ALICE)]))
    assert discovery.select_port(None) == "/dev/ttyACM1"


@pytest.mark.parametrize("error", PULLED)
def test_ports_that_cannot_be_listed_at_all(error: Exception, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_devices(monkeypatch)
    monkeypatch.setattr(list_ports, "comports", Failing(error))
    finished = call("key")
    assert_refused(finished, "NO_UNIT", 3)
    assert "WARNING: the serial ports cannot be listed" in finished.stderr
    assert call("list").status == 0


def test_a_serial_number_prints_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM1", "\x1b[2J\nA"))
    (found,) = discovery.candidates()
    assert found.serial_number == r"\x1b[2J\nA"


def test_usb_strings_that_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UnicodeDecodeError("utf-16-le", b"\x00\xd8", 0, 2, "unexpected end of data")
    plug_in_devices(monkeypatch, FakeUsbDevice(serial_number=error))
    (problem,) = ndks_usb.problems(ndks_usb.attached())
    assert "UTF-16" in problem
    assert "udev" not in problem


@pytest.mark.parametrize("error", [TypeError("no"), IndexError("no"), AttributeError("no"), OSError("no device")])
def test_a_usb_device_that_is_pulled_while_it_is_described(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_devices(monkeypatch, FakeUsbDevice(product=error))
    (problem,) = ndks_usb.problems(ndks_usb.attached())
    assert "cannot be read" in problem
    assert "udev" not in problem


@pytest.mark.parametrize("error", [OSError("libusb-1.0.so: cannot open"), AttributeError("libusb_init"), ValueError()])
def test_a_libusb_that_does_not_load(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndks_usb, "_backend", Failing(error))
    assert ndks_usb.attached() == []
    monkeypatch.undo()
    monkeypatch.setattr(usb.core, "find", Failing(error))
    assert ndks_usb.attached() == []


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO])
def test_a_file_system_without_locks(
    number: int, alice: str, call: Call, network_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ndks.times.LOCK_TIMEOUT", 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", Failing(refuse(number)))
        finished = call("info", "--unit", alice)
        assert_refused(finished, "NO_UNIT", 3)
        assert f"alice cannot be locked: {os.strerror(number)}" in finished.stderr
        refused = call("trust", "1", "0", "--network", network_file)
        assert_refused(refused, "FILE", 1)
        assert f"{network_file} cannot be locked: {os.strerror(number)}" in refused.stderr
        assert "None" not in finished.stderr + refused.stderr
    assert call("info", "--unit", alice).status == 0  # no stale lock file was left
    assert call("trust", "1", "0", "--network", network_file).error_code == "USAGE"  # the network has no lane 1


def test_a_planted_link_in_place_of_the_lock(network_file: Path, call: Call) -> None:
    precious = network_file.with_name("precious")
    precious.write_bytes(b"precious")
    network_file.with_name(f".{network_file.name}.lock").symlink_to(precious)
    assert_refused(call("trust", "1", "0", "--network", network_file), "FILE", 1)
    assert precious.read_bytes() == b"precious"


def test_a_planted_link_in_place_of_a_part(alice: str, tmp_path: Path) -> None:
    target, precious = tmp_path / "out.key", tmp_path / "precious"
    precious.write_bytes(b"precious" * 1000)
    with ndks.open(alice) as unit:
        plan = download.plan_download(unit, target, 8_000_000, None, force=False)
        download.part_of(target).unlink()
        download.part_of(target).symlink_to(precious)
        with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
            download.download(unit, target, plan, lambda _: None)
    assert precious.read_bytes() == b"precious" * 1000


@pytest.fixture
def loop(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    loop = Path("loop")
    loop.symlink_to("loop")
    return loop


@pytest.mark.parametrize("command", [["key"], ["key", "--force"], ["stream", "--bits", "8"]])
def test_output_into_a_loop_of_links(command: list[str], alice: str, loop: Path, call: Call) -> None:
    finished = call(*command, "--unit", alice, "-o", loop)
    assert_refused(finished, "FILE", 1)
    assert "leads back to itself" in finished.stderr
    assert loop.is_symlink()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["network", "new", "office", "-o", "loop"], "FILE"),
        (["network", "new", "office", "-o", "loop", "--force"], "FILE"),
        (["network", "show", "loop"], "FILE"),
        (["trust", "1", "0", "--network", "loop"], "FILE"),
        (["bind", "--backup", "loop"], "FILE"),
        (["bind", "--restore", "loop"], "FILE"),
        (["info", "--unit", "loop"], "NO_UNIT"),
        (["info", "--unit", "./loop"], "NO_UNIT"),
        (["info", "--unit", "emulator:loop"], "NO_UNIT"),
        (["faraday", "compare", "loop", "loop"], "FILE"),
        (["deploy", "loop"], "USAGE"),
        (["decrypt", "loop"], "FILE"),
        (["inspect", "loop"], "FILE"),
    ],
)
@pytest.mark.usefixtures("alice")
def test_loops_of_links_elsewhere(command: list[str], code: str, loop: Path, call: Call) -> None:
    finished = call(*command)
    assert finished.error_code == code, finished.stderr
    assert loop.is_symlink()


def test_channels_of_a_port_that_is_a_loop_of_links(loop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE))
    assert find_channels(unit="./loop")


def test_a_system_of_loops(tmp_path: Path) -> None:
    for name in ("sys/class/dmi/id/board_name", "sys/class/net/eth0/device", "sys/class/rfkill/0/device", "proc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(Path(name).name)
    assert characteristics(root=tmp_path) == ()
    nothing = Computer(tmp_path, interfaces=list, mounts=list, ports=list, system="Linux")
    assert [channel.kind for channel in find_channels(nothing)] == ["radio"]


@pytest.mark.parametrize("error", [RuntimeError("no id"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), OSError()])
def test_a_machine_without_an_id(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint.platform, "system", lambda: "Windows")
    monkeypatch.setattr("machineid.id", Failing(error))
    assert characteristics() == ()


@pytest.mark.parametrize(
    "error",
    [psutil.AccessDenied(), psutil.Error(), NotImplementedError(), RuntimeError(), PermissionError(), ValueError()],
)
@pytest.mark.parametrize(
    ("question", "kind"),
    [("net_if_addrs", "interface"), ("net_if_stats", "interface"), ("disk_partitions", "file system")],
)
def test_what_a_system_does_not_tell_counts_as_open(
    question: str, kind: str, error: Exception, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, question, Failing(error))
    finished = call("faraday", "channels", "--json")
    assert finished.status == 1
    unknown = [
        channel
        for channel in json.loads(finished.text)["channels"]
        if (channel["kind"], channel["name"]) == (kind, "of any kind")
    ]
    assert [channel["is_open"] for channel in unknown] == [None]


def test_ports_that_cannot_be_listed_count_as_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", Failing(TypeError()))
    assert ("USB serial", None) in [(channel.kind, channel.is_open) for channel in find_channels()]


@pytest.mark.parametrize(
    "name",
    [
        "hwgrep://(",
        "hwgrep://no such port",
        "loop://x?y",
        "spy:///dev/null?no",
        "cp2110://",
        "alt://x?class=no",
        "no://",
    ],
)
def test_names_for_protocols_of_pyserial(name: str) -> None:
    finished = run("info", "--unit", name, "--timeout", "1")
    assert_refused(finished, "USAGE", 2)
    assert name in finished.stderr


def test_a_plan_that_is_nested_too_deeply(alice: str, tmp_path: Path, call: Call) -> None:
    download.plan_of(tmp_path / "out").write_text("[" * 100_000)
    finished = call("stream", "--bits", 8, "--unit", alice, "-o", tmp_path / "out")
    assert_refused(finished, "FILE", 1)
    assert "damaged" in finished.stderr


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("unshare", 10), PermissionError(errno.EPERM, "no")])
def test_a_cage_that_does_not_answer_is_none(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(run=Failing(error), SubprocessError=subprocess.SubprocessError)
    monkeypatch.setattr(cage, "subprocess", fake)
    assert cage.find_cage() == []


def test_a_port_that_fails_to_close_has_done_its_work(alice: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    closing = MemoryUnit.close

    def close_and_fail(unit: MemoryUnit) -> None:
        closing(unit)
        raise refuse(errno.EIO)

    monkeypatch.setattr(MemoryUnit, "close", close_and_fail)
    assert call("key", "--unit", alice).status == 0
