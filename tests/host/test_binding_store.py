# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The files of a laptop's bindings: what they hold, who may read them, damaged ones, and the keys made of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from host.binding_stores import LOOKS, OTHER_LOOKS, Laptop, assert_locked, hello_of, laptop, member, opens
from host.running import environment
from host.watched_line import watch_lines
from support.emulate_process import PATIENCE
from support.reference import load_vectors

import ndks
from ndks.crypto import CRYPTO
from ndks.driver.answers import Hello
from ndks_protocol.binding import BindingKeys

__all__ = ("laptop", "member")

VECTOR = load_vectors("suite")["binding"]
HELLO = Hello(2, 0, "0.1.0", 3, "locked", [], "0001020304050607", VECTOR["unit_salt"], "00" * 16, 1120, 10, 256, 1)

MAKE_SECRET = """
import sys
from pathlib import Path
from ndks.laptop.bindings import BindingStore
store = BindingStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read(1)
print(store._secret(create=True).hex())
"""


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
    assert refused.value.advice == f"chmod 600 {path}"
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


def test_keys_of_binding_are_those_of_the_protocol() -> None:
    keys = BindingKeys(CRYPTO, bytes.fromhex(VECTOR["B"]))
    assert (keys.auth.hex(), keys.kek.hex(), keys.id.hex()) == (VECTOR["A"], VECTOR["KEK"], VECTOR["binding_id"])
