# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the laptop's binding files: format, permissions, damage, and loss."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from host.running import environment
from host.watched_line import CutLine, watch_lines, wrap_lines
from support.emulate_process import PATIENCE
from support.reference import load_vectors
from unit.other_member import header_of

import ndks
from ndks import BindingStore
from ndks.crypto import CRYPTO
from ndks.driver.answers import Hello
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys

VECTOR = load_vectors("suite")["binding"]
LOOKS = (("board", "X"), ("mac", "02:00:00:00:00:01"), ("machine", "Y"))
OTHER_LOOKS = (("board", "X"), ("mac", "02:00:00:00:00:02"), ("machine", "Y"))
HELLO = Hello(2, 0, "0.1.0", 3, "locked", [], "0001020304050607", VECTOR["unit_salt"], "00" * 16, 1120, 10, 256, 1)
LETTER = b"meet me at the old bridge"
MAKE_SECRET = """
import sys
from pathlib import Path
from ndks.laptop.bindings import BindingStore
store = BindingStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read(1)
print(store._secret(create=True).hex())
"""


class Laptop:
    """A laptop whose characteristics the test sets."""

    def __init__(self, directory: Path) -> None:
        self.looks: tuple[tuple[str, str], ...] = LOOKS
        self.network: tuple[tuple[str, str], ...] = ()
        self.store = BindingStore(directory, look=lambda *, with_network: self.looks + self.network * with_network)

    @property
    def directory(self) -> Path:
        return self.store.directory

    def open(self, port: str, *, create: bool = False) -> ndks.Unit:
        return ndks.open(port, create=create, bindings=self.store)

    def file_of(self, serial_number: str) -> Path:
        return self.directory / "units" / f"{serial_number}.json"


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "laptop")


@pytest.fixture
def other_laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "other")


@pytest.fixture
def member(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> str:
    """Return the port of a unit bound to the laptop."""
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        unit.bind(unit.provision(network, 1))
    return port


def hello_of(laptop: Laptop, member: str) -> Hello:
    with laptop.open(member) as unit:
        return unit.hello


def opens(laptop: Laptop, member: str) -> bool:
    with laptop.open(member) as unit:
        return unit.key(1, 64).data != b""


def assert_locked(laptop: Laptop, member: str) -> ndks.AuthenticationError:
    with laptop.open(member) as unit, pytest.raises(ndks.AuthenticationError) as refused:
        unit.next_index()
    assert (refused.value.code, refused.value.exit_status) == ("LOCKED", 5)
    assert refused.value.advice
    return refused.value


def seal(laptop: Laptop, member: str, network: ndks.Network) -> int:
    """Seal a message, and return its number."""
    with laptop.open(member) as unit:
        return header_of(network, unit.seal(LETTER)).number


def with_secret_of_the_vector(laptop: Laptop) -> None:
    laptop.directory.mkdir(mode=0o700)
    secret = laptop.directory / "host_secret"
    secret.write_text(VECTOR["host_secret"])
    secret.chmod(0o600)


def test_published_vector(laptop: Laptop) -> None:
    with_secret_of_the_vector(laptop)
    binding = laptop.store.begin(HELLO, with_network=False)
    assert binding.hex() == VECTOR["B"]
    hello = replace(HELLO, binding_id=VECTOR["binding_id"])
    keys = laptop.store.keys(hello)
    assert (keys.auth.hex(), keys.kek.hex(), keys.id.hex()) == (VECTOR["A"], VECTOR["KEK"], VECTOR["binding_id"])
    assert laptop.store.finish(hello) == ndks.Binding(VECTOR["binding_id"], False, LOOKS)
    assert laptop.store.knows(hello)
    assert not laptop.store.knows(HELLO)


@pytest.mark.parametrize(
    "differs",
    [
        lambda laptop: (laptop.directory / "host_secret").write_text("11" * 32),
        lambda laptop: setattr(laptop, "looks", OTHER_LOOKS),
        lambda laptop: setattr(laptop, "looks", LOOKS[1:]),
        lambda laptop: setattr(laptop, "looks", (*LOOKS, ("mac", "02:00:00:00:00:09"))),
    ],
    ids=["secret", "mac", "less", "more"],
)
def test_every_part_counts(laptop: Laptop, differs: Callable[[Laptop], object]) -> None:
    with_secret_of_the_vector(laptop)
    differs(laptop)
    assert laptop.store.begin(HELLO, with_network=False).hex() != VECTOR["B"]


def test_units_with_different_salts_have_different_bindings(laptop: Laptop) -> None:
    values = {
        laptop.store.begin(replace(HELLO, salt=bytes([number] * 16).hex()), with_network=False) for number in range(9)
    }
    assert len(values) == 9


def test_files_are_private(laptop: Laptop, member: str) -> None:
    serial_number = hello_of(laptop, member).serial_number
    files = {path.relative_to(laptop.directory).as_posix() for path in laptop.directory.rglob("*") if path.is_file()}
    assert files == {"host_secret", f"units/{serial_number}.json", f"counters/{serial_number}.json"}
    for path in (laptop.directory, *laptop.directory.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_nothing_but_the_secret_is_secret(laptop: Laptop, member: str) -> None:
    """The file of a unit contains nothing that unlocks it."""
    hello = hello_of(laptop, member)
    keys = laptop.store.keys(hello)
    text = laptop.file_of(hello.serial_number).read_text()
    secret = (laptop.directory / "host_secret").read_text().strip()
    for hidden in (keys.auth.hex(), keys.kek.hex(), secret):
        assert not any(hidden[start : start + 16] in text for start in range(0, 50, 2))


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("which", ["host_secret", "units"])
def test_files_that_others_may_read_are_refused(laptop: Laptop, member: str, which: str, mode: int) -> None:
    serial_number = hello_of(laptop, member).serial_number
    path = laptop.directory / which if which == "host_secret" else laptop.file_of(serial_number)
    path.chmod(mode)
    with laptop.open(member) as unit, pytest.raises(ndks.FileError, match="others may read") as refused:
        unit.next_index()
    assert refused.value.advice.startswith(f"chmod 600 {path};")
    path.chmod(0o600)
    assert opens(laptop, member)


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"xy" * 32, b"\xff" * 64, b"00" * 32 + b"\n00"])
def test_damaged_secret(laptop: Laptop, member: str, content: bytes) -> None:
    path = laptop.directory / "host_secret"
    path.write_bytes(content)
    for use in (lambda unit: unit.next_index(), lambda unit: unit.bind()):
        with laptop.open(member) as unit, pytest.raises(ndks.FileError, match="host_secret is damaged"):
            use(unit)
    assert path.read_bytes() == content  # never created again, because that would invalidate all bindings


GOOD: dict[str, Any] = {
    "ndks_bindings": 1,
    "serial_number": "0001020304050607",
    "bindings": [{"binding_id": "11" * 16, "with_network": False, "characteristics": [["board", "X"]]}],
    "epoch": 0,
    "own_number": 7,
}
ONE = GOOD["bindings"][0]
DAMAGED = {
    "empty": "",
    "not JSON": "{",
    "another kind": "[]",
    "a number": "7",
    "nothing in it": "{}",
    "newer": json.dumps(GOOD | {"ndks_bindings": 2}),
    "no bindings": json.dumps({name: value for name, value in GOOD.items() if name != "bindings"}),
    "bindings are not a list": json.dumps(GOOD | {"bindings": 7}),
    "a binding is none": json.dumps(GOOD | {"bindings": ["x"]}),
    "no characteristics": json.dumps(GOOD | {"bindings": [{"binding_id": "11" * 16, "with_network": False}]}),
    "a pair is none": json.dumps(GOOD | {"bindings": [ONE | {"characteristics": [["a", "b", "c"]]}]}),
    "a value is a number": json.dumps(GOOD | {"bindings": [ONE | {"characteristics": [["a", 7]]}]}),
    "a value has a line end": json.dumps(GOOD | {"bindings": [ONE | {"characteristics": [["a", "b\nc"]]}]}),
    "number is a text": json.dumps(GOOD | {"own_number": "many"}),
    "number is negative": json.dumps(GOOD | {"own_number": -1}),
    "epoch is too large": json.dumps(GOOD | {"epoch": 1 << 48}),
    "number is infinite": json.dumps(GOOD).replace("7}", "1e999}"),
    "number is null": json.dumps(GOOD | {"own_number": None}),
    "very deep": "[" * 100_000,
    "not UTF-8": "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_file_of_a_unit(laptop: Laptop, member: str, damage: str) -> None:
    path = laptop.file_of(hello_of(laptop, member).serial_number)
    before = path.read_bytes()
    content = DAMAGED[damage].encode(errors="surrogateescape")
    path.write_bytes(content)
    with laptop.open(member) as unit, pytest.raises(ndks.FileError, match="is damaged") as refused:
        unit.next_index()
    assert refused.value.advice
    assert path.read_bytes() == content
    path.write_bytes(before)
    assert opens(laptop, member)


def test_the_secret_is_gone(laptop: Laptop, member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (laptop.directory / "host_secret").unlink()
    asked = watch_lines(monkeypatch)
    error = assert_locked(laptop, member)
    assert "secret is missing" in str(error)
    assert "--restore" in error.advice
    assert "OPEN_SESSION" not in asked
    assert not (laptop.directory / "host_secret").exists()


def test_another_secret(laptop: Laptop, member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = laptop.directory / "host_secret"
    path.write_text("11" * 32)
    asked = watch_lines(monkeypatch)
    error = assert_locked(laptop, member)
    assert str(path) in str(error)
    assert "--restore" in error.advice
    assert "OPEN_SESSION" not in asked


CHANGES = {
    "mac is now 02:00:00:00:00:02, was 02:00:00:00:00:01": OTHER_LOOKS,
    "board X is gone": LOOKS[1:],
    "serial 17 is new": (*LOOKS, ("serial", "17")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named_and_the_unit_not_even_asked(
    laptop: Laptop, member: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.looks = CHANGES[change]
    asked = watch_lines(monkeypatch)
    for _ in range(3):
        error = assert_locked(laptop, member)
        assert change in str(error)
        assert "zeroize" in error.advice
    assert set(asked) <= {"HELLO", "CLOSE"}
    laptop.looks = LOOKS
    with laptop.open(member) as unit:
        assert unit.status().wrong_attempts == 0
    assert opens(laptop, member)


def test_bound_to_its_network(laptop: Laptop, member: str) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        assert unit.bind(with_network=True).characteristics == LOOKS + laptop.network
        assert unit.is_bound_here
    assert opens(laptop, member)
    laptop.network = (("subnet", "192.168.0.0/16"),)
    assert "subnet is now 192.168.0.0/16, was 10.0.0.0/8" in str(assert_locked(laptop, member))


def test_where_there_is_no_network_the_unit_is_locked(laptop: Laptop, member: str) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        unit.bind(with_network=True)

    def offline(*, with_network: bool) -> tuple[tuple[str, str], ...]:
        if with_network:
            raise ndks.UsageError("there is no router", "bind without --with-network")
        return LOOKS

    laptop.store = BindingStore(laptop.directory, look=offline)
    assert "no router" in str(assert_locked(laptop, member))


def test_another_laptop_does_not_ask_the_unit(
    laptop: Laptop, other_laptop: Laptop, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watch_lines(monkeypatch)
    for _ in range(3):
        assert "ndks bind" in assert_locked(other_laptop, member).advice
    assert set(asked) <= {"HELLO", "CLOSE"}
    assert not other_laptop.directory.exists()
    assert opens(laptop, member)


def test_two_processes_make_one_secret(tmp_path: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment()}
    for turn in range(5):
        command = [sys.executable, "-c", MAKE_SECRET, str(tmp_path / str(turn))]
        processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        secrets = set()
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            secrets.add(process.communicate(timeout=PATIENCE)[0])
            assert process.returncode == 0
        assert len(secrets) == 1
        assert (tmp_path / str(turn) / "host_secret").read_text() in secrets


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_binding_that_is_cut_off(
    laptop: Laptop, network: ndks.Network, tmp_path: Path, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.BIND, heard=heard))
        with laptop.open(port) as unit, pytest.raises(ndks.UnitRemoved):
            unit.bind(code)
    if heard:
        assert opens(laptop, port)
        assert_code_opens_nothing(laptop, port, code)
    else:
        assert_locked(laptop, port)
        with laptop.open(port) as unit:
            unit.bind(code)
        assert opens(laptop, port)


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_rebinding_that_is_cut_off_keeps_what_opens_the_unit(
    laptop: Laptop, member: str, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.network = (("subnet", "10.0.0.0/8"),)
    before = hello_of(laptop, member)
    with monkeypatch.context() as cut:
        wrap_lines(cut, lambda line: CutLine(line, commands.BIND, heard=heard))
        with laptop.open(member) as unit, pytest.raises(ndks.UnitRemoved):
            unit.bind(with_network=True)
    assert len(laptop.store.unit(before.serial_number).bindings) == 2
    assert (hello_of(laptop, member).binding_id == before.binding_id) == (not heard)
    assert opens(laptop, member)
    with laptop.open(member) as unit:
        binding = unit.bind(with_network=True)
    assert laptop.store.unit(before.serial_number).bindings == (binding,)
    assert binding.binding_id == hello_of(laptop, member).binding_id != before.binding_id
    assert opens(laptop, member)


def test_rebinding_again_and_again(laptop: Laptop, member: str) -> None:
    ids = [hello_of(laptop, member).binding_id]
    for number in range(4):
        laptop.network = (("subnet", "10.0.0.0/8"),)
        with laptop.open(member) as unit:
            ids.append(unit.bind(with_network=number % 2 == 0).binding_id)
        assert opens(laptop, member)
    assert ids[0] == ids[2] == ids[4] != ids[1] == ids[3]


def assert_code_opens_nothing(laptop: Laptop, member: str, code: bytes) -> None:
    with laptop.open(member) as unit, pytest.raises(ndks.AuthenticationError) as refused:
        unit.bind(code)
    assert refused.value.code in ("LOCKED", "KEK")


def test_a_transport_code_is_used_up(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
        assert len(code) == 32
        assert not unit.is_bound_here
        unit.bind(code)
    assert_code_opens_nothing(laptop, port, code)
    assert opens(laptop, port)


def test_a_wrong_code_counts_as_no_attempt(laptop: Laptop, network: ndks.Network, tmp_path: Path) -> None:
    port = f"emulator:{tmp_path / 'unit'}"
    with laptop.open(port, create=True) as unit:
        code = unit.provision(network, 1)
    for _ in range(5):
        assert_code_opens_nothing(laptop, port, bytes(32))
    with laptop.open(port) as unit:
        assert unit.status().wrong_attempts == 0
        unit.bind(code)
    assert opens(laptop, port)


def test_a_blank_unit_is_not_bound(laptop: Laptop, tmp_path: Path) -> None:
    with laptop.open(f"emulator:{tmp_path / 'unit'}", create=True) as unit:
        for code in (b"", bytes(32)):
            with pytest.raises(ndks.DeviceError) as refused:
                unit.bind(code)
            assert refused.value.code == "BLANK"
    assert not laptop.directory.exists()


def test_the_highest_number_is_kept_and_given(
    laptop: Laptop, member: str, network: ndks.Network, tmp_path: Path
) -> None:
    """An old image of the flash is restored; the laptop has the higher counter."""
    directory = tmp_path / "unit"
    image = {path: path.read_bytes() for path in directory.iterdir() if path.suffix == ".bin"}
    assert image
    assert [seal(laptop, member, network) for _ in range(3)] == [1, 2, 3]
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == 3
    for path, content in image.items():
        path.write_bytes(content)
    assert seal(laptop, member, network) == 4
    laptop.store.minimum_counters(hello_of(laptop, member)).note(0, message_counter=100)
    assert seal(laptop, member, network) == 101


def test_the_number_that_an_earlier_version_kept_is_taken_over(
    laptop: Laptop, member: str, network: ndks.Network
) -> None:
    serial_number = hello_of(laptop, member).serial_number
    (laptop.directory / "counters" / f"{serial_number}.json").unlink()
    file = laptop.file_of(serial_number)
    file.write_text(file.read_text().replace('"own_number": 0', '"own_number": 41'))
    assert seal(laptop, member, network) == 42


@pytest.mark.parametrize("number", [1 << 48, 1 << 64])
def test_a_false_number_that_an_earlier_version_kept_is_passed_over(
    number: int, laptop: Laptop, member: str, network: ndks.Network
) -> None:
    serial_number = hello_of(laptop, member).serial_number
    (laptop.directory / "counters" / f"{serial_number}.json").unlink()
    file = laptop.file_of(serial_number)
    file.write_text(file.read_text().replace('"own_number": 0', f'"own_number": {number}'))
    assert seal(laptop, member, network) == 1


def test_numbers_of_a_crash_are_kept_too(laptop: Laptop, member: str, network: ndks.Network) -> None:
    crashing = laptop.open(member)
    assert header_of(network, crashing.seal(LETTER)).number == 1
    crashing._link.close()
    number = seal(laptop, member, network)
    assert 1 < number <= 65
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == number


def test_a_number_far_above_needs_leave(laptop: Laptop, member: str, network: ndks.Network) -> None:
    for number in (1 << 20, (1 << 20) + 2):
        laptop.store.minimum_counters(hello_of(laptop, member)).note(0, message_counter=number)
    with laptop.open(member) as unit:
        with pytest.raises(ndks.DeviceError) as refused:
            unit.next_index()
        assert refused.value.code == "TOO_FAR"
        unit.unlock(allow_jump=True)
        assert header_of(network, unit.seal(LETTER)).number == (1 << 20) + 3


def test_numbers_survive_rebinding(laptop: Laptop, member: str, network: ndks.Network) -> None:
    assert seal(laptop, member, network) == 1
    laptop.network = (("subnet", "10.0.0.0/8"),)
    with laptop.open(member) as unit:
        unit.bind(with_network=True)
    assert laptop.store.minimum_counters(hello_of(laptop, member)).of(0).message_counter == 1
    assert seal(laptop, member, network) == 2


def test_numbers_begin_again_after_zeroizing_and_provisioning(
    laptop: Laptop, member: str, network: ndks.Network
) -> None:
    for _ in range(3):
        seal(laptop, member, network)
    with laptop.open(member) as unit:
        serial_number = unit.hello.serial_number
        unit.zeroize()
        assert unit.hello.state == "blank"
        assert not laptop.file_of(serial_number).exists()
        unit.bind(unit.provision(network, 2))
    assert seal(laptop, member, network) == 1


def test_numbers_begin_again_when_it_was_zeroized_elsewhere(
    laptop: Laptop, other_laptop: Laptop, member: str, network: ndks.Network
) -> None:
    for _ in range(3):
        seal(laptop, member, network)
    with other_laptop.open(member) as unit:
        unit.zeroize()
        code = unit.provision(network, 2)
    with laptop.open(member) as unit:
        unit.bind(code)
    assert seal(laptop, member, network) == 1


def test_two_laptops(laptop: Laptop, other_laptop: Laptop, member: str, network: ndks.Network) -> None:
    """Each laptop opens its own unit and not the other one, even if both have equal characteristics."""
    with other_laptop.open(f"{member}2", create=True) as unit:
        unit.bind(unit.provision(network, 2))
    assert opens(laptop, member)
    assert opens(other_laptop, f"{member}2")
    assert_locked(laptop, f"{member}2")
    assert_locked(other_laptop, member)


def test_a_store_on_a_full_disk_does_not_take_the_message_back(
    laptop: Laptop, member: str, network: ndks.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is sealed; only the minimum counter is not written. The session is closed."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("ndks.laptop.bindings.write_private", refuse)
        with laptop.open(member) as unit:
            assert header_of(network, unit.seal(LETTER)).number == 1
    assert seal(laptop, member, network) == 2


def test_keys_of_binding_are_those_of_the_protocol() -> None:
    keys = BindingKeys(CRYPTO, bytes.fromhex(VECTOR["B"]))
    assert (keys.auth.hex(), keys.kek.hex(), keys.id.hex()) == (VECTOR["A"], VECTOR["KEK"], VECTOR["binding_id"])
