# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Refused capsules: each error has the correct reason, and nothing of the message remains."""

import contextlib
import dataclasses
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.running import Finished, assert_refused, run
from unit.other_member import FULL_CHUNK, HEADER_SIZE, OtherMember, flipped

import ndks
from ndks.line.transport import EMULATOR
from ndks_emulator import UnitDirectory
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_protocol.capsule import Window
from ndks_protocol.commands import CIPHERS, MAX_JUMP, WINDOW_SIZE
from ndks_unit.flash.record_log import RecordLog
from ndks_unit.flash.records import MESSAGE_COUNTER, WINDOW_KINDS

MODES = ("a", "b")
LETTER = b"meet me at the old bridge"
LONG_LETTER = random.Random(1).randbytes(3000)  # three chunks
LAPTOP, OTHER_LAPTOP = b"laptop of alice!", b"laptop of carol!"

STRANGERS = 1000  # their first lane

by_mode = pytest.mark.parametrize("mode", MODES)


# States that would take long to reach, put into the record log of a unit


def have_sent_up_to(port: str, number: int) -> None:
    """Set the number of the unit's next message."""
    with record_log(port) as log:
        log.append(MESSAGE_COUNTER, struct.pack(">IQ", 0, number))


def have_heard_of_strangers(port: str) -> None:
    """Fill all replay windows of the unit with other senders."""
    window = Window()
    window.accept(1)
    with record_log(port) as log:
        for lane, kind in enumerate(WINDOW_KINDS, STRANGERS):
            log.append(kind, struct.pack(">H", lane) + window.pack())


@contextlib.contextmanager
def record_log(port: str) -> Iterator[RecordLog]:
    """Yield the unlocked record log of a unit that is bound to this laptop."""
    with ndks.open(port) as unit:
        keys = ndks.BindingStore().keys(unit.hello)
    with UnitDirectory(Path(port.removeprefix(EMULATOR)), create=False) as directory:
        log = RecordLog(EmulatedBoard(directory, MemoryLine()))
        log.load()
        log.set_auth(keys.auth)
        log.unlock(keys.kek)
        yield log


@dataclasses.dataclass
class Bob:
    """A recipient of a capsule, with a unit in either mode, or offline."""

    call: Call
    how: tuple[object, ...]
    desk: Path

    def decrypt(self, capsule: bytes, *options: object, output: str = "letter") -> Finished:
        incoming = self.desk / "letter.ndks"
        incoming.write_bytes(capsule)
        target = output if output == "-" else self.desk / output
        return self.call("decrypt", incoming, "-o", target, *self.how, *options)

    def assert_refused(self, capsule: bytes, code: str, status: int, *options: object) -> str:
        """Check that only the capsule remains, for any kind of output; return the advice."""
        for output in ("-", "letter"):
            refused = self.decrypt(capsule, *options, output=output)
            assert_refused(refused, code, status)
            assert [path.name for path in self.desk.iterdir()] == ["letter.ndks"]
        return refused.advice

    def assert_opens(self, capsule: bytes, *options: object, data: bytes = LETTER) -> None:
        opened = self.decrypt(capsule, *options, output="-")
        assert (opened.status, opened.output) == (0, data), opened.stderr


@pytest.fixture(params=["a", "b", "offline"])
def way(request: pytest.FixtureRequest) -> str:
    """Return the way of opening a capsule."""
    return request.param


@pytest.fixture
def receiver(way: str, bob: str, network_file: Path, call: Call, desk: Path) -> Bob:
    return Bob(call, ("--network", network_file) if way == "offline" else ("--unit", bob, "--mode", way), desk)


@pytest.fixture
def bob_with_unit(bob: str, call: Call, desk: Path) -> Bob:
    return Bob(call, ("--unit", bob), desk)


@pytest.fixture
def seal(alice: str) -> Callable[..., bytes]:
    def seal_with_alice(data: bytes = LETTER, **options: str) -> bytes:
        with ndks.open(alice) as unit:
            return unit.seal(data, **options)

    return seal_with_alice


def know_laptop(port: str, lane: int, binding_id: bytes) -> None:
    """Set the binding id of the unit of that lane."""
    with ndks.open(port) as unit:
        unit.trust(lane, binding_id.hex())


def diverged(network: ndks.Network) -> ndks.Network:
    """Return a network with the same secret and a parameter that differs in one decimal, as after a fault in a unit."""
    other = "1" if network.p1[5] == "0" else "0"
    return dataclasses.replace(network, p1=network.p1[:5] + other + network.p1[6:])


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str, int]] = {
    "nothing is left": (lambda capsule: b"", "HEADER", 5),
    "the header is cut": (lambda capsule: capsule[: HEADER_SIZE - 1], "HEADER", 5),
    "a bit of the tag": (lambda capsule: flipped(capsule, 5), "HEADER", 5),
    "a bit of the masked header": (lambda capsule: flipped(capsule, 20), "HEADER", 5),
    "the version": (lambda capsule: b"\2" + capsule[1:], "VERSION", 5),
    "no capsule at all": (lambda capsule: b"Dear Bob," + capsule, "VERSION", 5),
    "the header alone": (lambda capsule: capsule[:HEADER_SIZE], "AUTH", 5),
    "cut in the first chunk": (lambda capsule: capsule[: HEADER_SIZE + 100], "AUTH", 5),
    "cut in a tag": (lambda capsule: capsule[: HEADER_SIZE + 10], "AUTH", 5),
    "cut after the first chunk": (lambda capsule: capsule[: HEADER_SIZE + FULL_CHUNK], "AUTH", 5),
    "cut after the second chunk": (lambda capsule: capsule[: HEADER_SIZE + 2 * FULL_CHUNK], "AUTH", 5),
    "the last byte is missing": (lambda capsule: capsule[:-1], "AUTH", 5),
    "a bit of the first chunk": (lambda capsule: flipped(capsule, HEADER_SIZE), "AUTH", 5),
    "a bit of the first tag": (lambda capsule: flipped(capsule, HEADER_SIZE + FULL_CHUNK - 1), "AUTH", 5),
    "a bit of a middle chunk": (lambda capsule: flipped(capsule, HEADER_SIZE + FULL_CHUNK + 500), "AUTH", 5),
    "a bit of the last chunk": (lambda capsule: flipped(capsule, -17), "AUTH", 5),
    "a bit of the last tag": (lambda capsule: flipped(capsule, -1), "AUTH", 5),
    "a byte more": (lambda capsule: capsule + b"\0", "AUTH", 5),
    "a chunk more": (lambda capsule: capsule + capsule[-FULL_CHUNK:], "AUTH", 5),
    "chunks in another order": (
        lambda capsule: (
            capsule[:HEADER_SIZE]
            + capsule[HEADER_SIZE + FULL_CHUNK : HEADER_SIZE + 2 * FULL_CHUNK]
            + capsule[HEADER_SIZE : HEADER_SIZE + FULL_CHUNK]
            + capsule[HEADER_SIZE + 2 * FULL_CHUNK :]
        ),
        "AUTH",
        5,
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_capsules(receiver: Bob, seal: Callable[..., bytes], damage: str) -> None:
    alter, code, status = DAMAGES[damage]
    for cipher in CIPHERS:
        receiver.assert_refused(alter(seal(LONG_LETTER, cipher=cipher)), code, status)


def test_a_damaged_capsule_does_not_use_the_good_one_up(receiver: Bob, seal: Callable[..., bytes]) -> None:
    capsule = seal(LONG_LETTER)
    receiver.assert_refused(flipped(capsule, -1), "AUTH", 5)
    receiver.assert_opens(capsule, data=LONG_LETTER)


def test_the_middle_of_another_message(receiver: Bob, seal: Callable[..., bytes]) -> None:
    first, second = seal(LONG_LETTER), seal(LONG_LETTER)
    border = HEADER_SIZE + FULL_CHUNK
    receiver.assert_refused(first[:border] + second[border:], "AUTH", 5)
    receiver.assert_refused(first[:HEADER_SIZE] + second[HEADER_SIZE:], "AUTH", 5)


def test_another_network(receiver: Bob) -> None:
    advice = receiver.assert_refused(OtherMember(ndks.Network.new("office"), 1).seal(LETTER), "HEADER", 5)
    assert "network ids" in advice


@pytest.mark.parametrize("cipher", CIPHERS)
def test_generators_that_differ(receiver: Bob, network: ndks.Network, cipher: str) -> None:
    capsule = OtherMember(diverged(network), 1).seal(LONG_LETTER, cipher)
    assert "ndks key --index 1" in receiver.assert_refused(capsule, "DIVERGED", 5)


def test_another_suite(receiver: Bob, network: ndks.Network) -> None:
    paper = dataclasses.replace(network, suite="paper")
    receiver.assert_refused(OtherMember(paper, 1).seal(LETTER), "SUITE", 4)


@by_mode
def test_own_capsules_come_back(mode: str, alice: str, seal: Callable[..., bytes], call: Call, desk: Path) -> None:
    alices = Bob(call, ("--unit", alice, "--mode", mode), desk)
    for options in ((), ("--again",), ("--allow-jump",)):
        assert "--network" in alices.assert_refused(seal(mode=mode), "REFLECTED", 4, *options)


@by_mode
def test_opened_before(mode: str, bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    capsule = seal()
    bob_with_unit.assert_opens(capsule, "--mode", mode)
    for other in MODES:
        assert "--again" in bob_with_unit.assert_refused(capsule, "DUPLICATE", 4, "--mode", other)
    bob_with_unit.assert_opens(capsule, "--again", "--mode", mode)
    bob_with_unit.assert_refused(capsule, "DUPLICATE", 4)


def test_again_does_not_use_a_capsule_up(bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    capsule = seal()
    bob_with_unit.assert_opens(capsule, "--again")
    bob_with_unit.assert_opens(capsule)
    bob_with_unit.assert_refused(capsule, "DUPLICATE", 4)


@by_mode
def test_too_old(mode: str, alice: str, bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    late, latest_in_time = seal(), seal()
    have_sent_up_to(alice, 1 + WINDOW_SIZE)
    bob_with_unit.assert_opens(seal())
    assert "--again" in bob_with_unit.assert_refused(late, "TOO_OLD", 4, "--mode", mode)
    bob_with_unit.assert_opens(latest_in_time, "--mode", mode)
    bob_with_unit.assert_opens(late, "--again", "--mode", mode)
    bob_with_unit.assert_refused(late, "TOO_OLD", 4, "--mode", mode)


@by_mode
def test_too_far(mode: str, alice: str, bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    early = seal()
    have_sent_up_to(alice, MAX_JUMP + 1)
    capsule = seal()
    assert "--allow-jump" in bob_with_unit.assert_refused(capsule, "TOO_FAR", 4, "--mode", mode)
    bob_with_unit.assert_opens(capsule, "--allow-jump", "--mode", mode)
    bob_with_unit.assert_refused(capsule, "DUPLICATE", 4, "--allow-jump", "--mode", mode)
    bob_with_unit.assert_refused(early, "TOO_OLD", 4)


def test_the_farthest_that_needs_no_leave(alice: str, bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    have_sent_up_to(alice, MAX_JUMP)
    bob_with_unit.assert_opens(seal())


@by_mode
def test_one_sender_too_many(mode: str, bob: str, bob_with_unit: Bob, seal: Callable[..., bytes]) -> None:
    have_heard_of_strangers(bob)
    capsule = seal()
    advice = bob_with_unit.assert_refused(capsule, "SENDERS", 4, "--mode", mode)
    assert "--network" in advice
    bob_with_unit.assert_opens(capsule, "--mode", mode, "--again")  # this needs no free window


@by_mode
def test_a_unit_that_was_moved_to_another_laptop(
    mode: str, bob: str, bob_with_unit: Bob, network: ndks.Network
) -> None:
    know_laptop(bob, 1, LAPTOP)
    bound = OtherMember(network, 1, binding_id=LAPTOP)
    moved = OtherMember(network, 1, first=10, binding_id=OTHER_LAPTOP)
    bob_with_unit.assert_refused(moved.seal(LONG_LETTER), "BINDING", 5, "--mode", mode)
    bob_with_unit.assert_refused(OtherMember(network, 1).seal(LONG_LETTER), "BINDING", 5, "--mode", mode)
    bob_with_unit.assert_opens(bound.seal(LONG_LETTER), "--mode", mode, data=LONG_LETTER)


def test_what_is_wrong_with_the_binding_of_one_sender_is_right_with_another(
    bob: str, bob_with_unit: Bob, network: ndks.Network
) -> None:
    know_laptop(bob, 1, LAPTOP)
    bob_with_unit.assert_opens(OtherMember(network, 3, binding_id=OTHER_LAPTOP).seal(LETTER))


def test_a_unit_that_was_moved_to_another_laptop_offline(
    network: ndks.Network, network_file: Path, desk: Path, call: Call
) -> None:
    members = (ndks.Member(1, "00" * 8, "alice", LAPTOP.hex()),)
    dataclasses.replace(network, next_lane=2, members=members).save(network_file, overwrite=True)
    receiver = Bob(call, ("--network", network_file), desk)
    receiver.assert_refused(OtherMember(network, 1).seal(LONG_LETTER), "BINDING", 5)
    receiver.assert_opens(OtherMember(network, 1, binding_id=LAPTOP).seal(LONG_LETTER), data=LONG_LETTER)


def test_diverged_is_told_before_binding(bob: str, bob_with_unit: Bob, network: ndks.Network) -> None:
    know_laptop(bob, 1, LAPTOP)
    bob_with_unit.assert_refused(OtherMember(diverged(network), 1).seal(LETTER), "DIVERGED", 5)


def test_exceptions_of_the_api(make_unit: MakeUnit, network: ndks.Network, seal: Callable[..., bytes]) -> None:
    capsule = seal()
    with ndks.open(make_unit("bob", 2)) as unit:
        unit.unseal(capsule)
        with pytest.raises(ndks.DeviceError) as duplicate:
            unit.unseal(capsule)
        with pytest.raises(ndks.AuthenticationError) as forged:
            unit.unseal(flipped(capsule, 3))
    assert not isinstance(duplicate.value, ndks.AuthenticationError)
    assert (duplicate.value.code, forged.value.code) == ("DUPLICATE", "HEADER")


def test_as_a_process(bob: str, seal: Callable[..., bytes], desk: Path) -> None:
    (desk / "letter.ndks").write_bytes(flipped(seal(LONG_LETTER), -1))
    assert_refused(run("decrypt", "letter.ndks", "--unit", bob, cwd=desk), "AUTH", 5)
    assert_refused(run("decrypt", "letter.ndks", "--unit", bob, "-o", "-", cwd=desk), "AUTH", 5)
    assert [path.name for path in desk.iterdir()] == ["letter.ndks"]
