# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records of experts: each field of the file is checked, and the oracle checks the claims."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from homologation.expert_files import NETWORK_ID, key_claim, other_claim, text_claim, values_of, write

from ndks.exceptions import FileError, UsageError
from ndks_laboratory.homologation.attack import Bits, Finding
from ndks_laboratory.homologation.experts.claims import KeyClaim, OtherClaim, TextClaim
from ndks_laboratory.homologation.experts.expert_finding import ExpertFinding, check_units
from ndks_laboratory.homologation.experts.judging import claimed, judge_experts
from ndks_laboratory.homologation.verdict import ALPHA, decide

PAGE = Path(__file__).parents[2] / "docs" / "homologation.md"
BITS = 128 * "01"
UNIT = "5385F270FB3B58EB"


class Truth:
    """An oracle that knows one message and one key."""

    def compare_text(self, number: int, text: bytes) -> bool:
        return (number, text) == (7, b"the truth")

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        if index != 3:
            return None
        return sum((first + i) % 2 == bit for i, bit in enumerate(bits.tolist()))


def load(path: Path, *claims: dict[str, Any], **changes: Any) -> ExpertFinding:
    return ExpertFinding.load(write(path / "finding.json", *claims, **changes))


def judged(path: Path, *claims: dict[str, Any], **changes: Any) -> list[Finding]:
    findings = judge_experts([load(path, *claims, **changes)], NETWORK_ID, Truth())
    return [decide(finding, ALPHA / 100) for finding in findings.values()]


def test_a_file_is_read(tmp_path: Path) -> None:
    claims = text_claim(7, "two\nlines"), key_claim(3, BITS, first=5, confirmed=True), other_claim("p1 is 0.5")
    found = load(tmp_path, *claims, units=[UNIT], network_id=NETWORK_ID)
    assert (found.expert, found.date, found.hours) == ("Ada Example, Laboratory of Examples", "2026-11-28", 16.5)
    assert (found.units, found.network_id, found.given) == ((UNIT,), NETWORK_ID, ("tap.pcap", "the source code"))
    assert found.claims == (
        TextClaim(7, "two\nlines", None),
        KeyClaim(3, 5, BITS, True),
        OtherClaim("p1 is 0.5", None),
    )
    assert json.loads(found.content)["expert"] == found.expert


@pytest.mark.parametrize("name", values_of())
def test_every_field_is_needed(tmp_path: Path, name: str) -> None:
    values = values_of()
    del values[name]
    (tmp_path / "finding.json").write_text(json.dumps(values))
    with pytest.raises(FileError, match=f"{name} is missing"):
        ExpertFinding.load(tmp_path / "finding.json")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ndks_expert_finding": 2}, "ndks_expert_finding has to be"),
        ({"ndks_expert_finding": True}, "ndks_expert_finding has to be"),
        ({"more": 1}, "more is unknown"),
        ({"expert": ""}, "expert has to be"),
        ({"expert": "a" * 201}, "expert has to be"),
        ({"expert": "\x1b[2J"}, "expert has to be"),
        ({"expert": 7}, "expert has to be"),
        ({"date": "28.11.2026"}, "date has to be"),
        ({"date": "20261128"}, "date has to be"),
        ({"units": ["5385f270fb3b58eb"]}, "units has to be"),
        ({"units": [7]}, "units has to be"),
        ({"units": UNIT}, "units has to be"),
        ({"network_id": "AA"}, "network_id has to be"),
        ({"given": ["a\nb"]}, "given has to be"),
        ({"given": "tap.pcap"}, "given has to be"),
        ({"hours": -1}, "hours has to be"),
        ({"hours": "7"}, "hours has to be"),
        ({"hours": 1e9}, "hours has to be"),
        ({"claims": {}}, "claims has to be"),
        ({"claims": ["p1"]}, r"claims\[0\].kind has to be"),
        ({"claims": [{"kind": "guess"}]}, r"claims\[0\].kind has to be"),
        ({"claims": [{"kind": ["text"]}]}, r"claims\[0\].kind has to be"),
        ({"claims": [text_claim(-1, "a")]}, r"claims\[0\].message has to be"),
        ({"claims": [text_claim(1, "")]}, r"claims\[0\].text has to be"),
        ({"claims": [text_claim(1, "\ud800")]}, r"claims\[0\].text has to be"),
        ({"claims": [text_claim(1, "a") | {"more": 1}]}, r"claims\[0\].more is unknown"),
        ({"claims": [key_claim(1, BITS), key_claim(0, BITS)]}, r"claims\[1\].index has to be"),
        ({"claims": [key_claim(1, 63 * "1")]}, r"claims\[0\].bits has to be"),
        ({"claims": [key_claim(1, 64 * "2")]}, r"claims\[0\].bits has to be"),
        ({"claims": [key_claim(1, BITS + "\n")]}, r"claims\[0\].bits has to be"),
        ({"claims": [key_claim(1, BITS, first=1 << 40)]}, r"claims\[0\].first has to be"),
        ({"claims": [other_claim("a") | {"confirmed": 1}]}, r"claims\[0\].confirmed has to be"),
        ({"claims": [other_claim("")]}, r"claims\[0\].claim has to be"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(FileError, match=why):
        load(tmp_path, **changes)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"expert": 1, "expert": 2}', "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "finding.json").write_text(content)
    with pytest.raises(FileError, match="is not a finding of an expert"):
        ExpertFinding.load(tmp_path / "finding.json")


def test_a_finding_is_about_units_under_test(tmp_path: Path) -> None:
    check_units([load(tmp_path), load(tmp_path, units=[UNIT])], [UNIT, "A56F7AB76EE88114"])
    with pytest.raises(UsageError, match=f"unit {UNIT}, which is not tested here"):
        check_units([load(tmp_path, units=[UNIT])], ["A56F7AB76EE88114"])


@pytest.mark.parametrize("network_id", [None, NETWORK_ID])
def test_a_text_is_compared_whatever_was_recorded(tmp_path: Path, network_id: str | None) -> None:
    claims = [text_claim(7, "the truth", confirmed=False), text_claim(7, "a truth", confirmed=True)]
    right, wrong = judged(tmp_path, *claims, text_claim(8, "the truth"), network_id=network_id)[:2]
    assert (right.succeeded, right.outcome.reason) == (True, "read the text of message 7: 'the truth'")
    assert (wrong.succeeded, wrong.outcome.reason) == (False, "this is not the text of message 7: 'a truth'")
    assert right.adversary == "human expert: Ada Example, Laboratory of Examples"
    assert right.seconds == 16.5 * 3600


@pytest.mark.parametrize(
    ("claim", "right", "is_true"),
    [
        (key_claim(3, BITS), 256, True),
        (key_claim(3, BITS, first=1), 0, False),
        (key_claim(3, BITS[:200] + BITS[201:] + "1"), 201, True),
        (key_claim(3, 128 * "0" + BITS[:128]), 192, True),
        (key_claim(3, 256 * "0"), 128, False),
        (key_claim(3, 110 * "0" + BITS[:30]), 85, False),
        (key_claim(4, BITS, confirmed=True), 0, False),
    ],
)
def test_bits_of_a_key_are_compared(tmp_path: Path, claim: dict[str, Any], right: int, is_true: bool) -> None:
    (found,) = judged(tmp_path, claim)
    assert f"{right} of {len(claim['bits'])} bits of key {claim['index']} are right" in found.outcome.reason
    assert found.succeeded is is_true


def test_many_guesses_count(tmp_path: Path) -> None:
    (one,) = judged(tmp_path, key_claim(3, BITS[:64]))
    several = judged(tmp_path, *(5 * [key_claim(3, BITS[:64])]))
    assert one.p_value == pytest.approx(2.0**-64)
    assert [found.p_value for found in several] == pytest.approx(5 * [5 * 2.0**-64])


@pytest.mark.parametrize("confirmed", [True, False, None])
def test_what_cannot_be_compared_is_as_recorded(tmp_path: Path, confirmed: bool | None) -> None:
    (other,) = judged(tmp_path, other_claim("p1 is 0.5", confirmed=confirmed))
    of_another_run = text_claim(7, "the truth", confirmed=confirmed), key_claim(3, BITS, confirmed=confirmed)
    text, key = judged(tmp_path, *of_another_run, network_id=16 * "f")
    assert [found.succeeded for found in (other, text, key)] == 3 * [confirmed]
    assert "as recorded; not compared here" in text.outcome.reason


def test_experts_who_decoded_nothing(tmp_path: Path) -> None:
    nothing, text = load(tmp_path), load(tmp_path, text_claim(7, "the truth"), other_claim("p1"), key_claim(3, BITS))
    found = judge_experts([nothing, text], NETWORK_ID, Truth())
    assert [(label, each.succeeded) for label, each in found.items()][:2] == [("H1", False), ("H2", True)]
    assert claimed(found, "text", "other") == ["H1", "H2", "H3"]
    assert claimed(found, "key") == ["H1", "H4"]


def test_the_page_shows_the_schema(tmp_path: Path) -> None:
    """The example on the page is a valid finding, and the table has every field."""
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "finding.json").write_text(example)
    assert [claim.kind for claim in ExpertFinding.load(tmp_path / "finding.json").claims] == ["text", "key", "other"]
    assert list(json.loads(example)) == re.findall(r"^\| `(\w+)` \| ", page.partition("```json")[2], re.MULTILINE)[:8]
