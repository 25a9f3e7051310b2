# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records that were altered, damaged or cut off, and those of suite paper."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from homologation import faraday_lab
from homologation.faraday_lab import Lab
from homologation.faraday_laptops import ETHERNET, make_laptop
from host.conftest import Call
from host.running import assert_refused

import ndks
from host import conftest as host_fixtures
from ndks.exceptions import FileError
from ndks_laboratory.faraday import Record, compare_records
from ndks_laboratory.outcome import FAILED, NOT_SHOWN, worst_of

call = host_fixtures.call
no_unit_of_the_user = host_fixtures.no_unit_of_the_user
network = faraday_lab.network
lab = faraday_lab.lab


def leaves(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value and of each list in a record."""
    if isinstance(values, dict):
        for name in values:
            yield from leaves(values[name], (*path, name))
    elif isinstance(values, list):
        yield path
        for number, value in enumerate(values):
            yield from leaves(value, (*path, number))
    else:
        yield path


def put(values: Any, path: tuple[Any, ...], value: Any) -> str:
    """Return the record with the value at one path replaced."""
    values = json.loads(json.dumps(values))
    place = values
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(values)


def at(values: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        values = values[step]
    return values


def altered(value: Any) -> Any:
    """Return a different value that is plausible in this field."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value.isdecimal() or set(value) <= set("0123456789abcdefABCDEF"):
            return value.replace(value[0], "1" if value[0] != "1" else "2")
        case str() if value == "hybrid":
            return "paper"
        case str() if value == "vernam":
            return "aes"
        case str() if value[:2] == "20":
            return f"2{value[1:].replace('0', '1', 1)}"
        case str():
            return f"{value}!"
        case list():
            return [*value, *value[:1]] if len(value) > 1 else value[:-1]
        case _:
            return value


def test_every_value_of_a_record_is_authenticated(lab: Lab) -> None:
    lab.alice.looks = [[ETHERNET], [ETHERNET]]
    lab.alice.send("--accept-risk")
    lab.bob.run()
    values = json.loads(lab.alice.record.read_text())
    bob = Record.load(lab.bob.record)
    places = list(leaves(values))
    noticed: set[str] = set()
    for path in places:
        if altered(at(values, path)) == at(values, path):
            continue  # an empty list
        lab.alice.record.write_text(put(values, path, altered(at(values, path))))
        try:
            checks = lab.checks(Record.load(lab.alice.record), bob)
        except FileError:
            noticed.add("no record")  # such as two keys with one index
        except ndks.CheckFailed:
            noticed.add("another network")
        except ndks.NdksError as error:
            pytest.fail(f"{path}: {error}")
        else:
            failed = {name for name, check in checks.items() if check.outcome.word == FAILED}
            assert any(name.endswith("is authentic") for name in failed), path
            noticed.add("tag")
    assert noticed == {"no record", "another network", "tag"}
    assert len(places) > 30


STRANGE = [None, True, False, -1, 0, 1 << 80, 1.5, "", "x", "\x1b[2J", "\ud800", "0" * 64, [], [1], {}, {"index": 1}]


def test_damaged_records_are_refused_in_words(lab: Lab) -> None:
    lab.alice.looks = [[ETHERNET], [ETHERNET]]
    lab.alice.send("--accept-risk")
    lab.bob.run()
    bob = Record.load(lab.bob.record)
    values = json.loads(lab.alice.record.read_text())
    refusals: list[str] = []
    for path in leaves(values):
        for strange in STRANGE:
            lab.alice.record.write_text(put(values, path, strange))
            try:
                record = Record.load(lab.alice.record)
            except FileError as error:
                refusals.append(str(error))
            else:
                assert not record.is_signed_by(bytes(32))
                assert compare_records([record, bob])
    assert len(refusals) > 400
    assert all("is not a record of ndks faraday" in refusal and refusal.isprintable() for refusal in refusals)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is damaged"),
        (b"{", "it is damaged"),
        (b"[]", "it is another kind of file"),
        (b"{}", "it is another kind of file"),
        (b'{"ndks_network": 1}', "it is another kind of file"),
        (b'{"ndks_faraday": 2}', "it was written by another version"),
        (b'{"ndks_faraday": 1}', "it is damaged"),
        (b'{"ndks_faraday": 1, "unit": ' + b"[" * 100_000, "it is damaged"),
        (b'{"ndks_faraday": ' + b"9" * 10_000 + b"}", "it is damaged"),
        (b"\xff\xfe", "it is damaged"),
        (b" " * (1 << 24) + b"{}", "it is too large"),
    ],
)
def test_files_that_are_no_records(lab: Lab, content: bytes, why: str) -> None:
    lab.bob.run()
    lab.alice.record.write_bytes(content)
    finished = lab.compare()
    assert_refused(finished, "FILE", 1)
    assert why in finished.stderr


def test_a_record_cut_off_anywhere(lab: Lab) -> None:
    lab.alice.run()
    whole = lab.alice.record.read_bytes().rstrip()
    for size in range(0, len(whole), 7):
        lab.alice.record.write_bytes(whole[:size])
        with pytest.raises(FileError):
            Record.load(lab.alice.record)


def test_a_record_of_suite_paper_is_warned_of(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    network = ndks.Network.new("lecture", suite="paper")
    alice, bob = (make_laptop(name, tmp_path, network, n, call, monkeypatch) for n, name in enumerate(("a", "b"), 1))
    for laptop in (alice, bob):
        laptop.run()
    checks = compare_records([Record.load(alice.record), Record.load(bob.record)])
    assert worst_of(checks) == NOT_SHOWN
    assert "WARNING: suite paper" in alice.ndks("faraday", "compare", alice.record, bob.record).stderr
