# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages between two units by the Python API: all modes, ciphers, suites and sizes give the same data."""

import dataclasses
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.other_member import SIZES, header_of, open_offline, size_of_capsule

import ndks
from ndks_protocol import commands
from ndks_protocol.commands import CIPHERS, SUITES
from ndks_unit.dispatcher import HANDLERS

MODES = ("a", "b")
LONGEST_VERNAM = 8 * 1024
LONG_AES = 1 << 20
LETTER = b"meet me at the old bridge"


@dataclasses.dataclass
class Pair:
    """Two open units of one network."""

    network: ndks.Network
    alice: ndks.Unit
    bob: ndks.Unit


@pytest.fixture(scope="module", params=SUITES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    network = ndks.Network.new("pair", suite=request.param)
    directory = tmp_path_factory.mktemp("pair")
    with (
        ndks.open(f"emulator:{directory / 'alice'}", create=True) as alice,
        ndks.open(f"emulator:{directory / 'bob'}", create=True) as bob,
    ):
        alice.bind(alice.provision(network, 1))
        bob.bind(bob.provision(network, 2))
        yield Pair(network, alice, bob)


def text_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("sealing", MODES)
@pytest.mark.parametrize("opening", MODES)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_one_seals_the_other_opens(pair: Pair, sealing: str, opening: str, cipher: str) -> None:
    for size in (*SIZES, 5000):
        capsule = pair.alice.seal(text_of(size), cipher=cipher, mode=sealing)
        assert len(capsule) == size_of_capsule(size)
        assert pair.bob.unseal(capsule, mode=opening) == text_of(size)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("cipher", "size"), [("vernam", LONGEST_VERNAM), ("aes", LONG_AES)])
def test_long_messages(pair: Pair, mode: str, cipher: str, size: int) -> None:
    capsule = pair.bob.seal(text_of(size), cipher=cipher, mode=mode)
    assert pair.alice.unseal(capsule, mode=mode) == text_of(size)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=3000),
    cipher=st.sampled_from(CIPHERS),
    sealing=st.sampled_from(MODES),
    opening=st.sampled_from(MODES),
)
def test_any_message(pair: Pair, data: bytes, cipher: str, sealing: str, opening: str) -> None:
    assert pair.bob.unseal(pair.alice.seal(data, cipher=cipher, mode=sealing), mode=opening) == data


@pytest.mark.parametrize("cipher", CIPHERS)
def test_the_same_message_never_looks_the_same(pair: Pair, cipher: str) -> None:
    first, second = (pair.alice.seal(bytes(3000), cipher=cipher) for _ in range(2))
    pairs_of_bytes = list(zip(first, second, strict=True))
    assert sum(a == b for a, b in pairs_of_bytes) < len(pairs_of_bytes) // 64  # one in 256 matches by chance


def test_modes_take_turns_on_the_numbers(pair: Pair) -> None:
    numbers = [header_of(pair.network, pair.alice.seal(LETTER, mode=mode)).number for mode in "abbab"]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_files_and_streams(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "letter").write_bytes(LETTER)
    read: list[int] = []
    assert pair.alice.encrypt(tmp_path / "letter", str(tmp_path / "capsule"), progress=read.append) == len(LETTER)
    assert sum(read) == len(LETTER)
    sink = io.BytesIO()
    with (tmp_path / "capsule").open("rb") as capsule:
        opened = pair.bob.decrypt(capsule, sink)
    assert sink.getvalue() == LETTER
    number = header_of(pair.network, (tmp_path / "capsule").read_bytes()).number
    assert (opened.lane, opened.number, opened.cipher, opened.size) == (1, number, "vernam", len(LETTER))


class Trickle(io.RawIOBase):
    """A source that returns a few bytes at a time, like a pipe."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self._inner.read(min(size, 7))


@pytest.mark.parametrize("mode", MODES)
def test_sources_that_give_a_few_bytes_at_a_time(pair: Pair, mode: str) -> None:
    capsule, sink = io.BytesIO(), io.BytesIO()
    pair.alice.encrypt(Trickle(text_of(2500)), capsule, mode=mode)
    assert len(capsule.getvalue()) == size_of_capsule(2500)
    pair.bob.decrypt(Trickle(capsule.getvalue()), sink, mode=mode)
    assert sink.getvalue() == text_of(2500)


class Noting(io.BytesIO):
    """A sink that records its content at each request to the unit."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_shown_before_all_was_verified(pair: Pair, mode: str) -> None:
    sink = Noting()
    capsule = pair.alice.seal(text_of(LONGEST_VERNAM))
    pair.bob.decrypt(io.BytesIO(capsule), sink, mode=mode, progress=lambda _: sink.seen.append(len(sink.getvalue())))
    assert len(sink.seen) == 9
    assert not any(sink.seen)
    assert sink.getvalue() == text_of(LONGEST_VERNAM)


def test_a_message_is_accepted_only_when_it_is_stored(pair: Pair) -> None:
    class FullDisk(io.BytesIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    capsule = pair.alice.seal(LETTER)
    with pytest.raises(OSError, match="No space"):
        pair.bob.decrypt(io.BytesIO(capsule), FullDisk())
    assert pair.bob.inspect(capsule).state == "new"
    assert pair.bob.unseal(capsule) == LETTER
    assert pair.bob.inspect(capsule).state == "DUPLICATE"


@pytest.mark.parametrize("options", [{"mode": "c"}, {"cipher": "rot13"}, {"cipher": "VERNAM"}])
def test_modes_and_ciphers_that_do_not_exist(pair: Pair, options: dict[str, str]) -> None:
    before = header_of(pair.network, pair.alice.seal(LETTER)).number
    with pytest.raises(ndks.UsageError):
        pair.alice.seal(LETTER, **options)
    assert header_of(pair.network, pair.alice.seal(LETTER)).number == before + 1


def test_opening_in_a_mode_that_does_not_exist(pair: Pair) -> None:
    with pytest.raises(ndks.UsageError):
        pair.bob.unseal(pair.alice.seal(LETTER), mode="c")


def test_source_that_fails(pair: Pair, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(ndks.FileError, match="Input/output"):
        pair.alice.encrypt(Broken(), tmp_path / "capsule")
    assert list(tmp_path.iterdir()) == []
    assert open_offline(pair.network, pair.alice.seal(LETTER)) == LETTER  # the line is still in sync


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_message_does_not_disturb_the_next(pair: Pair, mode: str) -> None:
    capsule = pair.alice.seal(text_of(5000))
    altered = capsule[:2000] + bytes([capsule[2000] ^ 1]) + capsule[2001:]
    for _ in range(3):
        with pytest.raises(ndks.AuthenticationError):
            pair.bob.unseal(altered, mode=mode)
        assert pair.bob.unseal(capsule, mode=mode, again=True) == text_of(5000)


def test_eject_gives_unused_numbers_back_and_a_crash_does_not(tmp_path: Path) -> None:
    network = ndks.Network.new("numbers")
    port = f"emulator:{tmp_path / 'alice'}"
    numbers: list[int] = []

    def send(unit: ndks.Unit) -> None:
        numbers.append(header_of(network, unit.seal(LETTER)).number)

    with ndks.open(port, create=True) as unit:
        unit.bind(unit.provision(network, 1))
        send(unit)
    with ndks.open(port) as unit:
        send(unit)
        unit.eject()
        send(unit)
    crashing = ndks.open(port)
    send(crashing)
    crashing._link.close()  # closed without CLOSE
    with ndks.open(port) as unit:
        send(unit)
    assert numbers[:4] == [1, 2, 3, 4]
    assert 4 < numbers[4] <= 4 + 64


@pytest.mark.parametrize("code", [commands.SEAL_CHUNK.code, commands.OPEN_CHUNK.code])
def test_an_answer_that_is_too_short_is_no_answer(pair: Pair, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A faulty unit must not make a message shorter."""
    answer = HANDLERS[code]
    good = pair.alice.seal(text_of(3000), cipher="aes")

    def cut_short(unit: Any, message: bytes, number: int, *values: Any) -> tuple[bytes]:
        whole = answer(unit, message, number, *values)[0]
        return (whole[:-1] if number == 1 else whole,)

    monkeypatch.setitem(HANDLERS, code, cut_short)
    call = pair.bob.unseal if code == commands.OPEN_CHUNK.code else pair.alice.seal
    with pytest.raises(ndks.ProtocolError, match="wrong size"):
        call(good)
    monkeypatch.undo()
    assert pair.bob.unseal(good) == text_of(3000)
