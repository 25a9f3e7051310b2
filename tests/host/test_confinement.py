# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Emulated units, one of which has a fault, and what `ndks confine` says of their records."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from homologation.faulty_unit import emulated
from host.conftest import Call, MakeUnit
from support.pieces import PIECE

import ndks
from ndks.confinement.channel import differences
from ndks.confinement.compare import compare
from ndks.confinement.definition import definition_of, likely_fault
from ndks.confinement.findings import Finding, Kind
from ndks.confinement.key_checks import BLOCK, checks_of, first_different
from ndks.confinement.record import Record
from ndks.confinement.taking import record_of
from ndks.exceptions import FileError, UsageError
from ndks.keys.offline_keys import exported_key
from ndks_unit.paper_bits import PaperBits

INDICES = (1, 2, 3, 1 << 47)
BITS = 1024


@contextlib.contextmanager
def wrong_element(index: int, element: int) -> Iterator[None]:
    """Let units in this process invert one element of a key."""
    read_into = PaperBits.read_into

    def read_wrongly(self: Any, view: memoryview, offset: int) -> None:
        read_into(self, view, offset)
        if self.index == index and 0 <= element // 8 - offset < len(view):
            view[element // 8 - offset] ^= 0x80 >> element % 8

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PaperBits, "read_into", read_wrongly)
        yield


def taken(port: str, *capsules: bytes, epoch: int | None = None) -> Record:
    with ndks.open(port) as unit:
        return record_of(unit, INDICES, BITS, capsules, epoch)


def sealed(port: str, text: bytes = b"see you at noon") -> bytes:
    with ndks.open(port) as unit:
        return unit.seal(text)


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.fixture
def three(make_unit: MakeUnit) -> tuple[str, str, str]:
    return make_unit("alice"), make_unit("bob", 2), make_unit("carol", 3)


def test_units_of_one_network_agree(three: tuple[str, str, str], network: ndks.Network) -> None:
    capsule = sealed(three[0])
    records = [taken(port, capsule) for port in three]
    assert only(compare(records)).kind == Kind.AGREE
    assert only(compare([records[0], definition_of(network, records[0], [capsule])])).kind == Kind.AGREE
    assert [each.messages[0].error for each in records] == ["REFLECTED", "", ""]
    assert records[1].messages[0].check == records[2].messages[0].check != ""


def test_one_wrong_element(three: tuple[str, str, str], network: ndks.Network) -> None:
    with wrong_element(2, 777):
        bob = taken(three[1])
    alice, carol = taken(three[0]), taken(three[2])
    finding = only(compare([alice, bob, carol]))
    assert (finding.kind, finding.units) == (Kind.DIVERGES, (bob.serial_number,))
    assert (finding.index, finding.element) == (2, 777 // BLOCK * BLOCK)
    assert "1 of 4 keys differ" in finding.text
    assert likely_fault(network, bob, 2) == "one bit of key 2 is wrong: element 777"
    assert only(compare([bob, definition_of(network, bob)])).units == (bob.serial_number,)


def test_two_units_without_a_definition_cannot_be_told_apart(three: tuple[str, str, str]) -> None:
    with wrong_element(3, 0):
        bob = taken(three[1])
    finding = only(compare([taken(three[0]), bob]))
    assert (finding.kind, finding.index, finding.element) == (Kind.CANNOT_TELL, 3, 0)
    assert "third unit" in finding.advice


def test_a_generator_that_is_wrong_at_one_d(
    three: tuple[str, str, str], network: ndks.Network, network_file: Path, call: Call
) -> None:
    """A real emulated unit in a process of its own, whose generator takes the digit at 4 where d is 3."""
    alice, bob, carol = three
    with emulated("wrong-at-d", Path(bob.removeprefix("emulator:"))) as faulty:
        found = call("confine", "here", alice, faulty.port, carol, "--indices", "1..3", "--json")
        told = call("confine", "here", faulty.port, alice, "--network", network_file, "--indices", "1..3", "--json")
    assert (found.status, told.status) == (1, 1), (found.stderr, told.stderr)
    (finding,) = json.loads(found.text)["findings"]
    assert finding["kind"] == "diverges"
    assert (finding["index"], finding["element"]) == (1, 0)
    (finding,) = json.loads(told.text)["findings"]
    assert "these are the keys of d = 4, in place of d = 3" in finding["text"]


@pytest.mark.parametrize("bit", [8 * 3, 8 * 20 + 5, 8 * 40 + 7])
def test_one_bit_of_the_channel(three: tuple[str, str, str], bit: int) -> None:
    capsule = sealed(three[0])
    received = bytearray(capsule)
    received[bit // 8] ^= 0x80 >> bit % 8
    records = [taken(three[0], capsule), taken(three[1], bytes(received)), taken(three[2], capsule)]
    finding = only(compare(records))
    assert (finding.kind, finding.units) == (Kind.CHANNEL, (records[1].serial_number,))
    (place,) = differences(capsule, bytes(received)).bytes
    assert (place.byte, place.bits) == (bit // 8, (bit % 8,))
    assert place.part == {3: "header tag", 20: "header", 40: "text of chunk 0"}[bit // 8]


def test_one_decimal_of_a_parameter(make_unit: MakeUnit, network: ndks.Network) -> None:
    other = replace(network, p1=network.p1[:-1] + str((int(network.p1[-1]) + 1) % 10))
    records = [taken(make_unit("a")), taken(make_unit("b", 2, other)), taken(make_unit("c", 3))]
    finding = only(compare(records))
    assert (finding.kind, finding.units) == (Kind.OTHER_NETWORK, (records[1].serial_number,))
    assert "another parameter, and the same secret" in finding.text
    assert "p1 or p2 differs" in finding.text
    both = compare(records[:2])
    assert {finding.kind for finding in both} == {Kind.OTHER_NETWORK}
    assert "nothing says which is meant" in both[0].advice


def test_another_d_and_another_secret(make_unit: MakeUnit, network: ndks.Network) -> None:
    records = [taken(make_unit("a")), taken(make_unit("b", 2)), taken(make_unit("c", 3, replace(network, digits=4)))]
    assert "d 4 and not 3" in only(compare(records)).text
    records[2] = taken(make_unit("d", 3, replace(network, secret=bytes(32))))
    assert "another secret" in only(compare(records)).text


def test_a_sender_whose_message_keys_diverge(three: tuple[str, str, str]) -> None:
    with ndks.open(three[0]) as unit, pytest.MonkeyPatch.context() as patch:
        read_into = PaperBits.read_into

        def read_wrongly(self: Any, view: memoryview, offset: int) -> None:
            read_into(self, view, offset)
            view[0] ^= 1

        patch.setattr(PaperBits, "read_into", read_wrongly)
        capsule = unit.seal(b"see you at noon")
    records = [taken(port, capsule) for port in three]
    finding = only(compare(records))
    assert (finding.kind, finding.units) == (Kind.DIVERGES, ("lane 1",))
    assert only(compare(records[:2])).kind == Kind.CANNOT_TELL


def test_a_receiver_whose_message_keys_diverge(three: tuple[str, str, str]) -> None:
    capsule = sealed(three[0])
    index = (1 << 48) + 1
    with wrong_element(index, 3):
        bob = taken(three[1], capsule)
    finding = only(compare([taken(three[0], capsule), bob, taken(three[2], capsule)]))
    assert (finding.kind, finding.units) == (Kind.DIVERGES, (bob.serial_number,))


def test_keys_that_a_unit_refuses(three: tuple[str, str, str]) -> None:
    alice, bob = taken(three[0]), taken(three[1], epoch=5)
    assert {key.error for key in bob.keys} == {"EPOCH"}
    finding = only(compare([alice, replace(bob, of_epoch=alice.of_epoch)]))
    assert (finding.kind, finding.units) == (Kind.REFUSED, (bob.serial_number,))


def test_checks_of_beginnings() -> None:
    key = bytes(range(64))
    assert len(checks_of(key, 1)) == len(key) * 8 // BLOCK
    assert checks_of(key[:16], 1) == checks_of(key, 1)[:1]
    assert checks_of(key, 1) != checks_of(key, 2)
    other = bytearray(key)
    other[33] ^= 1
    assert first_different(checks_of(key, 1), checks_of(bytes(other), 1)) == 2 * BLOCK
    assert first_different(checks_of(key, 1), checks_of(key, 1)) is None


def test_a_record_has_no_key(three: tuple[str, str, str], tmp_path: Path) -> None:
    path = tmp_path / "record"
    record = taken(three[0])
    record.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Record.load(path) == record
    with ndks.open(three[0]) as unit:
        keys = [unit.key(index, BITS).data for index in INDICES]
    text = path.read_text()
    for key in keys:
        assert not any(key[at : at + PIECE].hex() in text.lower() for at in range(len(key) - PIECE))


def test_who_has_a_record_can_test_guesses_of_keys_and_no_more(make_unit: MakeUnit, network: ndks.Network) -> None:
    """In suite `paper` a guess is an angular frequency, of few bits; in suite `hybrid` it is a key of 256 bits."""
    paper = replace(network, suite="paper", p1="0.52", p2="25")
    key = taken(make_unit("a", 1, paper)).keys[0]
    right = exported_key(paper, key.index, BITS // 8)
    assert checks_of(right, key.index) == key.checks
    assert checks_of(exported_key(replace(paper, p1="0.53"), key.index, BITS // 8), key.index) != key.checks
    hybrid = taken(make_unit("b", 2, replace(paper, suite="hybrid"))).keys[0]
    assert checks_of(right, key.index)[0] != hybrid.checks[0], "the paper's bits alone test nothing there"


def test_damaged_records(three: tuple[str, str, str], tmp_path: Path) -> None:
    path = tmp_path / "record"
    taken(three[0], b"\1" * 99, b"").save(path)
    values = json.loads(path.read_text())
    for name in list(values):
        for wrong in (None, "\x1b[31m", -1, [1], {"a": 1}):
            path.write_text(json.dumps({**values, name: wrong}))
            with pytest.raises(FileError):
                Record.load(path)
        path.write_text(json.dumps({key: value for key, value in values.items() if key != name}))
        with pytest.raises(FileError):
            Record.load(path)


def test_what_cannot_be_compared(three: tuple[str, str, str]) -> None:
    alice = taken(three[0])
    for records in ([alice], [alice, alice]):
        with pytest.raises(UsageError):
            compare(records)


def test_commands(three: tuple[str, str, str], network_file: Path, desk: Path, call: Call) -> None:
    (desk / "letter").write_text("see you at noon")
    assert call("encrypt", desk / "letter", "--unit", three[0]).status == 0
    for port, name in zip(three, "abc", strict=True):
        keys = ("--indices", "1..4,2^47", "--bits", 256, "--messages", desk / "letter.ndks")
        done = call("confine", "record", "-o", desk / name, *keys, "--unit", port)
        assert done.status == 0, done.stderr
        assert "5 keys of 256 bits, 1 message," in done.text
    done = call("confine", "compare", *(desk / name for name in "abc"))
    assert (done.status, done.text) == (0, "all agree: 5 keys of 256 bits, 1 message\n")
    altered = bytearray((desk / "letter.ndks").read_bytes())
    altered[50] ^= 0x11
    (desk / "received").write_bytes(altered[:-3])
    done = call("confine", "compare", "--capsule", desk / "letter.ndks", desk / "received")
    assert done.status == 1
    assert done.text.splitlines() == [
        "2 bits in 1 byte differ",
        "byte 50, bits 3, 7: text of chunk 0",
        "at the end: 3 bytes missing",
    ]
    assert call("confine", "here", three[0], "--network", network_file).status == 0
    assert call("confine", "record", "-o", desk / "d", "--epoch", "0.1", "--unit", three[0]).status == 0
    assert call("confine", "compare", desk / "a", desk / "d").status == 2, "two records of one unit"


@pytest.mark.parametrize(
    "words",
    [
        ("record", "-o", "x", "--indices", "0"),
        ("record", "-o", "x", "--indices", "3..2"),
        ("record", "-o", "x", "--indices", "1..20000"),
        ("record", "-o", "x", "--indices", "2^48"),
        ("record", "-o", "x", "--bits", "100"),
        ("record", "-o", "x", "--epoch", "1"),
        ("record",),
        ("compare",),
        ("here", "emulator:x"),
    ],
)
def test_usage(alice: str, desk: Path, call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("NDKS_UNIT", alice)
    assert call("confine", *words).status == 2
