# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Minimum counters on the laptop: after a rollback of the unit's state no key or number is used twice."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.running import environment
from support.emulate_process import PATIENCE, emulated
from unit.other_member import header_of

import ndks
from ndks.laptop.bindings import BindingStore
from ndks.laptop.counters import Minimum, MinimumCounters
from ndks_protocol.commands import MAX_JUMP
from ndks_protocol.flash import SNAPSHOT_FILES

SALT = "11" * 16
FLASH = ("nvm.bin", *SNAPSHOT_FILES)


def directory_of(port: str) -> Path:
    return Path(port.removeprefix("emulator:"))


def image_of(port: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in map(directory_of(port).joinpath, FLASH)}


def put_back(image: dict[Path, bytes]) -> None:
    for path, content in image.items():
        path.write_bytes(content)


def minimum_counters_of(port: str) -> MinimumCounters:
    with ndks.open(port) as unit:
        return BindingStore().minimum_counters(unit.hello)


def use_keys(port: str, count: int) -> int:
    """Use keys, and return the index of the last one."""
    with ndks.open(port) as unit:
        return [unit.next_key(8).index for _ in range(count)][-1]


@pytest.mark.parametrize("lost", ["image", "nvm deleted", "nvm blank"])
def test_no_key_comes_again_when_the_state_went_back(alice: str, bob: str, call: Call, lost: str) -> None:
    before = image_of(alice)
    assert use_keys(alice, 12) == use_keys(bob, 12) == 12
    nvm = directory_of(alice) / "nvm.bin"
    if lost == "image":
        put_back(before)
    elif lost == "nvm deleted":
        nvm.unlink()
    else:
        nvm.write_bytes(b"\xff" * 4096)
    finished = call("info", "--unit", alice)
    assert finished.status == 0
    assert finished.stderr.count("went back") == 1
    assert b"next key    13" in finished.output
    assert call("key", "--unit", alice).output == call("key", "--unit", bob).output
    assert "went back" not in call("key", "--unit", alice).stderr, "it is said once"


def test_the_key_command_says_that_the_state_went_back(alice: str, call: Call) -> None:
    before = image_of(alice)
    use_keys(alice, 3)
    put_back(before)
    finished = call("key", "--unit", alice, "--json")
    assert (json.loads(finished.output)["index"], json.loads(finished.output)["went_back"]) == (4, True)
    (line,) = [line for line in finished.stderr.splitlines() if "went back" in line]
    assert "1 again, and is 4 now" in line
    assert "went_back" not in json.loads(call("key", "--unit", alice, "--json").output)


def test_far_back_needs_leave(alice: str, call: Call) -> None:
    before = image_of(alice)
    with ndks.open(alice) as unit:
        unit.acknowledge(0, 5 * MAX_JUMP, allow_jump=True)
    put_back(before)
    finished = call("key", "--unit", alice)
    assert (finished.error_code, finished.status) == ("TOO_FAR", 4)
    assert "ndks bind --allow-jump" in finished.advice
    assert call("bind", "--allow-jump", "--unit", alice).status == 0
    assert use_keys(alice, 1) == 5 * MAX_JUMP + 1


def test_the_last_key_was_used(alice: str) -> None:
    before = image_of(alice)
    with ndks.open(alice) as unit:
        unit.acknowledge(0, (1 << 47) - 1, allow_jump=True)
    with ndks.open(alice) as unit, pytest.raises(ndks.DeviceError, match="outside its range"):
        unit.next_index()
    put_back(before)
    with ndks.open(alice) as unit:
        unit.unlock(allow_jump=True)
        with pytest.raises(ndks.DeviceError, match="outside its range"):
            unit.next_index()


def test_a_floor_of_an_earlier_version_is_above_what_is_acknowledged(alice: str) -> None:
    minimum_counters_of(alice).note(0, exported=(1 << 48) - 1, allow_jump=True)
    with ndks.open(alice) as unit:
        unit.unlock(allow_jump=True)
        with pytest.raises(ndks.DeviceError, match="outside its range"):
            unit.next_index()


def test_another_life_of_a_unit_begins_at_1(alice: str, network: ndks.Network) -> None:
    with ndks.open(alice) as unit:
        for _ in range(5):
            unit.next_key(8)
            unit.seal(b"letter")
        unit.zeroize()
        unit.bind(unit.provision(network, 3))
        assert unit.next_key(8).index == 1
        assert header_of(network, unit.seal(b"letter")).number == 1
        assert not unit.went_back


def test_a_backup_holds_them(alice: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(alice, 3)
    (name,) = [name for name in BindingStore().export() if name.startswith("counters/") and uid_of(alice) in name]
    restored = BindingStore(desk / "home")
    restored.replace(BindingStore().export(), overwrite=False)
    with ndks.open(alice) as unit:
        assert restored.minimum_counters(unit.hello).of(0).exported == 3
    assert (desk / "home" / name).stat().st_mode & 0o777 == 0o600


def uid_of(port: str) -> str:
    return (directory_of(port) / "uid").read_text().strip().upper()


KILLED_AT = """
import os, signal, sys
import ndks
from ndks.laptop import counters
from ndks.line import transport

left = int(sys.argv[2])

def counted(function):
    def at_a_step(*args, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **options)
    return at_a_step

def say(what):
    os.write(1, f"{what}\\n".encode())

transport.SerialTransport.write = counted(transport.SerialTransport.write)
transport.SerialTransport.read = counted(transport.SerialTransport.read)
counters.MinimumCounters._write = counted(counters.MinimumCounters._write)
counters.MinimumCounters._sync = counted(counters.MinimumCounters._sync)
unit = ndks.open(sys.argv[1])
for _ in range(2):
    key = unit.next_key(64)
    say(f"key {key.index}")
    say(f"capsule {unit.seal(b'letter').hex()}")
unit.close()
say("end")
"""


def test_a_host_that_is_killed_at_any_step_knows_what_it_was_given(make_unit: MakeUnit, network: ndks.Network) -> None:
    """After a rollback of the unit's flash, no key or number that the process has released is used again."""
    port = make_unit("unit")
    keys: set[int] = set()
    numbers: set[int] = set()
    steps = 0
    while True:
        before = image_of(port)
        with emulated(directory_of(port)) as running:
            said = killed_after(running.port, steps)
        for line in said:
            kind, _, value = line.partition(" ")
            if kind == "key":
                assert int(value) not in keys
                keys.add(int(value))
            elif kind == "capsule":
                number = header_of(network, bytes.fromhex(value)).number
                assert number not in numbers
                numbers.add(number)
        put_back(before)
        if "end" in said:
            break
        steps += 1
    assert steps > 20
    assert len(keys) > 10
    assert len(numbers) > 10


def killed_after(port: str, steps: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, port, str(steps)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.stdout.splitlines()


def test_numbers_go_on_over_epochs_and_indices_do_not(tmp_path: Path) -> None:
    path = tmp_path / "counters" / "0011.json"
    minimum_counters = MinimumCounters(path, SALT)
    minimum_counters.note(0, message_counter=5, exported=3)
    minimum_counters.note(7, message_counter=1)
    minimum_counters.note(0, message_counter=4)
    again = MinimumCounters(path, SALT)
    assert (again.of(0), again.of(7), again.of(8)) == (Minimum(5, 3), Minimum(5, 0), Minimum(5, 0))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == 2048


def test_an_answer_moves_a_floor_by_a_bounded_step(tmp_path: Path) -> None:
    minimum_counters = MinimumCounters(tmp_path / "counters" / "0011.json", SALT)
    minimum_counters.note(0, message_counter=(1 << 48) - 1, exported=(1 << 48) - 1)
    assert minimum_counters.of(0) == Minimum(MAX_JUMP, MAX_JUMP)
    minimum_counters.note(0, exported=1 << 40, allow_jump=True)
    assert minimum_counters.of(0) == Minimum(MAX_JUMP, 1 << 40)


def test_the_file_does_not_grow_with_false_epochs(tmp_path: Path) -> None:
    path = tmp_path / "counters" / "0011.json"
    for epoch in range(0, 1 << 32, 1 << 24):
        MinimumCounters(path, SALT).note(epoch, message_counter=(1 << 48) - 1, exported=(1 << 48) - 1, allow_jump=True)
    assert path.stat().st_size == 2048
    assert MinimumCounters(path, SALT).of(255 << 24) == Minimum((1 << 48) - 1, (1 << 48) - 1)


def test_another_salt_is_another_unit(tmp_path: Path) -> None:
    path = tmp_path / "counters" / "0011.json"
    MinimumCounters(path, SALT).note(0, message_counter=5)
    assert MinimumCounters(path, "22" * 16).of(0) == Minimum()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:60],
        lambda text: b"\0" * 2048,
        lambda text: b"",
        lambda text: text.replace(b"[5, 3]", b"[5, -3]"),
        lambda text: text.replace(b"[5, 3]", b"[5, 281474976710656]"),
        lambda text: text.replace(b"[5, 3]", b"[5]"),
        lambda text: text.replace(b'"epochs"', b'"salt"'),
        lambda text: b"[]",
        lambda text: b"{" * 2048,
    ],
)
def test_a_damaged_file_is_no_obstacle(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """The file is written without fsync, so a power failure of the laptop may damage it."""
    path = tmp_path / "counters" / "0011.json"
    MinimumCounters(path, SALT).note(0, message_counter=5, exported=3)
    path.write_bytes(damage(path.read_bytes()))
    assert MinimumCounters(path, SALT).of(0) == Minimum()
    MinimumCounters(path, SALT).note(0, message_counter=6)
    assert MinimumCounters(path, SALT).of(0) == Minimum(6, 0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such modes")
def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counters" / "0011.json"
    MinimumCounters(path, SALT).note(0, message_counter=5)
    path.chmod(0o622)
    with pytest.raises(ndks.FileError, match="others"):
        MinimumCounters(path, SALT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "counters" / "0011.json"
    path.parent.mkdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(ndks.FileError, match="regular"):
        MinimumCounters(path, SALT)


def test_a_floor_that_cannot_be_written_stops_nothing(
    alice: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The key has already been released."""

    def full(self: MinimumCounters) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MinimumCounters, "_write", full)
    with ndks.open(alice) as unit:
        assert [unit.next_key(8).index for _ in range(3)] == [1, 2, 3]
    assert caplog.text.count("No space left on device") == 1
