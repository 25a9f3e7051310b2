# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Findings of human experts are in report and verdict: true claims prevent approval, false ones do not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dpkt
import pytest
from homologation.conftest import SEED, SMALL, Homologate, broken, missed
from homologation.expert_files import key_claim, other_claim, text_claim, write

from ndks.exceptions import FileError, UsageError
from ndks.keys.bit_text import bit_text
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network
from ndks_laboratory.homologation import documents
from ndks_laboratory.homologation.correspondence import letters
from ndks_laboratory.homologation.experts.expert_finding import ExpertFinding
from ndks_laboratory.homologation.experts.waiting import wait_for_findings
from ndks_laboratory.homologation.plan import PCAP, Experts
from ndks_laboratory.homologation.verdict import APPROVED, NOT_APPROVED

TEXTS = {letter.number: letter.text.decode() for letter in letters(SMALL.letters, SEED)}
NETWORK = Network.new("test")
KEY = bit_text(exported_key(NETWORK, 9, 64), 512)


@pytest.fixture
def experts(tmp_path: Path) -> Any:
    def make(*claims: dict[str, Any], **changes: Any) -> Experts:
        return Experts((ExpertFinding.load(write(tmp_path / "ada.json", *claims, **changes)),))

    return make


def test_true_claims_refuse_approval(homologate: Homologate, experts: Any) -> None:
    claims = text_claim(3, TEXTS[3]), key_claim(9, KEY[8:], first=8), text_claim(4, TEXTS[3])
    found = homologate(network=NETWORK, experts=experts(*claims))
    assert found.verdict.word == NOT_APPROVED
    assert (missed(found), broken(found)) == ({"R7", "R8"}, {"H1", "H2"})
    expert = "human expert: Ada Example, Laboratory of Examples, in 16.5 h"
    assert found.verdict.reasons[0].startswith(f"H1 {expert}: read the text of message 3: ")
    assert found.verdict.reasons[1] == f"H2 {expert}: 504 of 504 bits of key 9 are right, from element 8 on"


def test_false_claims_and_none_are_withstood(homologate: Homologate, experts: Any) -> None:
    claims = text_claim(3, TEXTS[4], confirmed=True), key_claim(10, KEY), other_claim("a hunch", confirmed=False)
    found = homologate(network=NETWORK, experts=experts(*claims))
    assert (missed(found), broken(found)) == (set(), set())
    assert found.verdict.word == APPROVED
    report = documents.write(found, "ndks homologate", {})
    humans = [row for row in report["targets"][0]["findings"] if row["label"].startswith("H")]
    assert [(row["label"], row["succeeded"]) for row in humans] == [("H1", False), ("H2", False), ("H3", False)]
    assert report["experts"][0]["given"] == ["tap.pcap", "the source code"]
    assert [file["name"] for file in report["files"]] == [PCAP, "expert-1.json"]
    directory = found.plan.directory
    assert json.loads((directory / "expert-1.json").read_text())["hours"] == 16.5
    assert "human expert: Ada Example" in (directory / "report.html").read_text()


def test_experts_are_heard_while_the_units_are_members(homologate: Homologate, tmp_path: Path) -> None:
    heard: list[Sequence[str]] = []

    def hear(serial_numbers: Sequence[str]) -> list[ExpertFinding]:
        heard.append(serial_numbers)
        with (tmp_path / "homologation" / PCAP).open("rb") as file:
            assert sum(1 for _ in dpkt.pcap.Reader(file)) > 20
        return [ExpertFinding.load(write(tmp_path / "ada.json", text_claim(3, TEXTS[3]), units=list(serial_numbers)))]

    found = homologate(experts=Experts(hear=hear))
    assert broken(found) == {"H1"}
    assert heard == [tuple(unit.serial_number for unit in found.units)]


def test_a_finding_about_another_unit_is_refused_at_once(homologate: Homologate, experts: Any) -> None:
    with pytest.raises(UsageError, match="about unit 0000000000000000, which is not tested here"):
        homologate(experts=experts(units=[16 * "0"]))


def test_findings_are_waited_for_until_they_are_there_and_right(tmp_path: Path) -> None:
    path, said = tmp_path / "ada.json", list[str]()
    happens = iter(
        [
            lambda: None,
            lambda: path.write_text("{"),
            lambda: write(path, units=[16 * "0"]),
            lambda: write(path, text_claim(3, "a text")),
        ]
    )

    def enter() -> str:
        next(happens)()
        return "\n"

    (finding,) = wait_for_findings([path], [16 * "A"], said.append, enter)
    assert len(finding.claims) == 1
    words = ("cannot be read", "is not a finding of an expert", "about unit 0000000000000000")
    assert all(any(word in line for line in said) for word in words)
    with pytest.raises(FileError, match="stdin ended"):
        wait_for_findings([path], [16 * "A"], said.append, lambda: "")
