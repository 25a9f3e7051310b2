# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The expert's comparison: two laptops end to end, three, and every mismatch between their records."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from homologation import faraday_lab
from homologation.faraday_lab import Lab
from homologation.faraday_laptops import ETHERNET, LETTER, SALT, FaradayLaptop, make_laptop
from host.conftest import Call
from host.running import Finished, assert_refused, command_line, environment

import ndks
from host import conftest as host_fixtures
from ndks.laptop.homes import HOME
from ndks_laboratory.faraday import Record, compare_records
from ndks_laboratory.outcome import FAILED, NOT_SHOWN, Outcome
from ndks_laboratory.stages.cage import find_cage

call = host_fixtures.call
no_unit_of_the_user = host_fixtures.no_unit_of_the_user
network = faraday_lab.network
lab = faraday_lab.lab


OTHER_SALT = 32 * "7"
KEYS = "both sides hold the same keys"


def test_two_laptops_hold(lab: Lab) -> None:
    lab.take_keys()
    opened = lab.bob.desk / "opened"
    assert lab.bob.ndks("decrypt", lab.alice.capsule, "-o", opened, "--unit", lab.bob.port).status == 0
    assert opened.read_bytes() == LETTER
    values = lab.verdict("--opened", opened)
    assert values["held"] is True
    assert [(key["index"], key["same"]) for key in values["keys"]] == [(1, True), (2, True), (3, True)]
    text = lab.compare("--network", lab.file, "--opened", opened).text
    assert text.splitlines()[-1].startswith("result: HELD. ")
    assert len([line for line in text.splitlines() if line.startswith("held ")]) == len(values["checks"]) == 12


@pytest.fixture
def carol(lab: Lab, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> FaradayLaptop:
    return make_laptop("carol", tmp_path, lab.network, 3, call, monkeypatch)


def compare_three(lab: Lab, carol: FaradayLaptop, *options: object) -> Finished:
    records = lab.alice.record, lab.bob.record, carol.record
    return lab.alice.ndks("faraday", "compare", *records, "--network", lab.file, *options)


def test_three_laptops_give_one_result(lab: Lab, carol: FaradayLaptop) -> None:
    lab.take_keys()
    assert carol.run().status == 0
    finished = compare_three(lab, carol)
    assert finished.status == 0
    lines = finished.text.splitlines()
    assert lines[0].split() == ["record.json"] * 3
    assert len({*lines[1].split()[1:]}) == 3
    assert [line.split()[-1] for line in lines if line.startswith(("1, 256", "2, 256", "3, 256"))] == ["same"] * 3
    assert "held      all 3 sides hold the same keys" in lines
    assert lines[-1] == "result: HELD. All 3 units gave the same keys, and no channel was open at any laptop."
    values = json.loads(compare_three(lab, carol, "--json").text)
    assert (values["held"], len(values["serial_numbers"]), len(values["keys"][0]["commitments"])) == (True, 3, 3)


def test_one_of_three_that_differs(
    lab: Lab, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, network: ndks.Network
) -> None:
    lab.take_keys()
    carol = make_laptop("carol", tmp_path, replace(network, p1="0.52001"), 3, call, monkeypatch)
    assert carol.run().status == 0
    values = json.loads(lab.compare(carol.record, "--json").text)
    failed = {check["name"]: check["detail"] for check in values["checks"] if check["held"] is False}
    assert failed["all 3 sides hold the same keys"] == "different: key 1, 2, 3"
    for key in values["keys"]:
        assert not key["same"]
        assert key["commitments"][0] == key["commitments"][1] != key["commitments"][2]


def test_of_three_laptops_two_have_one_unit(lab: Lab) -> None:
    lab.take_keys()
    finished = lab.compare(lab.bob.record, "--network", lab.file, "--json")
    (check,) = [each for each in json.loads(finished.text)["checks"] if each["name"] == "the records are of 3 units"]
    assert (check["held"], check["detail"]) == (False, Record.load(lab.bob.record).unit)


def test_one_record_is_compared_with_nothing(lab: Lab) -> None:
    lab.take_keys()
    assert_refused(lab.alice.ndks("faraday", "compare", lab.alice.record), "USAGE", 2)


@pytest.mark.parametrize("network", ["hybrid", "paper"], indirect=True)
def test_any_unit_of_the_network_verifies_the_records(lab: Lab) -> None:
    lab.take_keys()
    for laptop in (lab.alice, lab.bob):
        records = (lab.alice.record, lab.bob.record)
        finished = laptop.ndks("faraday", "compare", *records, "--unit", laptop.port, "--json")
        assert json.loads(finished.text)["held"] is True
        assert laptop.next_index() == 5  # the comparison used no index
    assert lab.verdict()["held"] is True


def test_records_that_nobody_verifies_are_not_shown(lab: Lab) -> None:
    lab.take_keys()
    finished = lab.compare()
    assert finished.status == 1
    assert finished.text.splitlines()[-1].startswith("result: NOT SHOWN. ")
    unverified = [line for line in finished.text.splitlines() if line.startswith("NOT SHOWN ")]
    assert len(unverified) == 2
    assert all("not verified: no unit or network file was named" in line for line in unverified)
    assert json.loads(lab.compare("--json").text)["held"] is None
    opened = lab.compare("--opened", lab.bob.letter, "--json")
    assert (opened.status, json.loads(opened.text)["held"]) == (1, None)


def test_a_unit_that_the_environment_names_verifies(lab: Lab) -> None:
    lab.take_keys()
    with lab.alice.monkeypatch.context() as patch:
        patch.setenv("NDKS_UNIT", lab.alice.port)
        assert lab.compare().status == 0


def test_a_unit_of_another_network_verifies_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.take_keys()
    other = tmp_path / "other.ndksnet"
    ndks.Network.new("other").save(other)
    assert_refused(lab.compare("--network", other), "CHECK_FAILED", 1)
    assert_refused(lab.compare("--network", lab.file, "--unit", lab.alice.port), "USAGE", 2)


def test_one_decimal_of_p1(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, network: ndks.Network) -> None:
    alice = make_laptop("alice", tmp_path, network, 1, call, monkeypatch)
    bob = make_laptop("bob", tmp_path, replace(network, p1="0.52001"), 2, call, monkeypatch)
    for laptop in (alice, bob):
        assert laptop.run().status == 0
    checks = {check.name: check for check in compare_records([Record.load(alice.record), Record.load(bob.record)])}
    assert checks[KEYS].outcome == Outcome.failed("different: key 1, 2, 3")
    assert checks["both units are of one network"].outcome.word == FAILED
    assert alice.ndks("faraday", "compare", alice.record, bob.record).text.count("DIFFERENT") == 3


def stream_instead(monkeypatch: pytest.MonkeyPatch, of: Callable[[int, bytes], bytes], indices: dict[int, int]) -> None:
    """Make units return other keys: those of other indices, changed by `of`."""
    original = ndks.Unit.stream_key

    def stream_key(unit: ndks.Unit, index: int, bits: int, **options: Any) -> Iterator[bytes]:
        return (of(index, block) for block in original(unit, indices.get(index, index), bits, **options))

    monkeypatch.setattr(ndks.Unit, "stream_key", stream_key)


def test_one_bit_of_one_key(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.alice.send()
    with monkeypatch.context() as patch:
        stream_instead(patch, lambda index, block: block[:-1] + bytes([block[-1] ^ (index == 2)]), {})
        lab.bob.run()
    assert lab.failures() == {KEYS: "different: key 2"}


def test_a_key_that_is_given_twice(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stream_instead(patch, lambda index, block: block, {3: 1})
        lab.take_keys()
    detail = "; ".join(f"unit {record.unit}: key 3" for record in lab.records())
    assert lab.failures() == {"no key was given twice": detail}


def test_another_salt(lab: Lab) -> None:
    lab.alice.send()
    lab.bob.run(salt=OTHER_SALT)
    assert lab.failures() == {"both were made with the same salt": f"{SALT}; {OTHER_SALT}"}
    assert lab.checks(*lab.records())[KEYS].outcome.word == NOT_SHOWN


def test_another_number_of_keys(lab: Lab) -> None:
    lab.alice.send(keys=3)
    lab.bob.run(keys=4)
    assert lab.failures() == {
        "both took keys of the same indices": "1 to 3, for the record 4; 1 to 4, for the record 5",
        KEYS: "different: key 4",
    }


def test_keys_of_another_size(lab: Lab) -> None:
    lab.alice.send()
    lab.bob.run("--bits", 512)
    assert lab.failures() == {KEYS: "different: key 1, 2, 3"}


def test_laptops_that_are_not_in_step(lab: Lab) -> None:
    lab.alice.ndks("key", "--unit", lab.alice.port)
    lab.alice.send(keys=1)
    lab.bob.run(keys=1)
    assert lab.failures() == {
        "both took keys of the same indices": "2, for the record 3; 1, for the record 2",
        KEYS: "different: key 1, 2",
    }


def test_one_record_twice(lab: Lab) -> None:
    lab.alice.run()
    lab.bob.record.write_bytes(lab.alice.record.read_bytes())
    assert lab.failures() == {"the records are of two units": Record.load(lab.alice.record).unit}


def test_an_accepted_risk_is_not_shown(lab: Lab) -> None:
    lab.alice.looks = [[ETHERNET], []]
    lab.alice.send("--accept-risk")
    lab.bob.run()
    values = lab.verdict()
    assert values["held"] is None
    (check,) = (each for each in values["checks"] if each["held"] is None)
    assert check["detail"] == "the risk was accepted; before: interface eth0 (carrier, 192.0.2.2)"


def test_a_risk_that_was_accepted_in_vain_holds(lab: Lab) -> None:
    lab.alice.send("--accept-risk")
    lab.bob.run()
    assert lab.verdict()["held"] is True


def test_a_channel_that_opened_meanwhile(lab: Lab) -> None:
    lab.alice.looks = [[], [ETHERNET]]
    assert_refused(lab.alice.send(), "CHANNEL", 1)
    lab.bob.run()
    unit = Record.load(lab.alice.record).unit
    assert lab.failures() == {
        f"no channel was open at the laptop of unit {unit}": "after: interface eth0 (carrier, 192.0.2.2)",
        f"the message of unit {unit} was deleted": "",
    }


def test_a_text_that_is_not_the_senders(lab: Lab) -> None:
    lab.take_keys()
    other = lab.bob.desk / "other"
    other.write_bytes(LETTER + b"\n")
    (failure,) = lab.failures("--opened", other)
    assert failure.endswith("was decrypted as it was written")
    assert lab.verdict("--opened", other, "--opened", lab.bob.letter)["held"] is True


def test_messages_of_both(lab: Lab) -> None:
    lab.bob.letter.write_bytes(b"Noon it is.")
    lab.alice.send()
    lab.bob.send()
    texts = [lab.alice.desk / "one", lab.bob.desk / "two"]
    for path, text in zip(texts, (LETTER, b"Noon it is."), strict=True):
        path.write_bytes(text)
    assert lab.verdict("--opened", texts[0], "--opened", texts[1])["held"] is True
    assert len(lab.failures("--opened", texts[0])) == 1


def test_no_text_to_compare(lab: Lab) -> None:
    lab.alice.run()
    lab.bob.run()
    assert_refused(lab.compare("--opened", lab.bob.letter), "USAGE", 2)
    lab.alice.run("--force", "--message", lab.alice.letter)
    assert_refused(lab.compare("--network", lab.file, "--opened", lab.bob.desk / "none"), "FILE", 1)


@pytest.mark.kernel
def test_in_two_real_cages(lab: Lab) -> None:
    """Run the command on the machine's real channels, each side in a network namespace."""
    for laptop, options in ((lab.alice, ["--message", lab.alice.letter]), (lab.bob, [])):
        where = ("--unit", laptop.port, "-o", laptop.record)
        command = command_line("faraday", "run", "--salt", SALT, "--keys", 2, *where, *options)
        done = subprocess.run(
            [*find_cage(), *command],
            capture_output=True,
            env=environment({HOME: str(laptop.desk / "home")}),
            timeout=60,
            check=False,
        )
        if b"CHANNEL" in done.stderr and b"interface" not in done.stderr:
            pytest.skip(f"this machine has channels that no cage closes: {done.stderr.decode()}")
        assert done.returncode == 0, done.stderr
    values = lab.verdict("--opened", lab.bob.letter)
    assert values["held"] is True
    assert not lab.alice.letter.exists()
