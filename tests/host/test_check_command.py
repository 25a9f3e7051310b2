# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks check` of capsules in files: six words at both ends, who confirmed them, and failures that stay."""

import json
from pathlib import Path

import pytest
from host.conftest import Call

import ndks
from ndks.laptop.homes import home
from ndks.laptop.laptop_checks import NAME
from ndks.word_list import english

OTHER = "abandon ability able about above absent"


@pytest.fixture(autouse=True)
def nobody_at_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndks.cli.stdin.is_terminal", lambda: False)


@pytest.fixture
def letter(desk: Path) -> Path:
    path = desk / "letter"
    path.write_text("see you at noon")
    return path


def words_of(call: Call, *words: object) -> str:
    done = call("check", *words, "--json")
    assert done.status == 0, done.stderr
    return json.loads(done.text)["words"]


@pytest.mark.parametrize("cipher", ["vernam", "aes"])
@pytest.mark.parametrize("mode", ["a", "b"])
def test_both_ends_and_the_file_have_the_same_words(
    alice: str, bob: str, network_file: Path, letter: Path, call: Call, cipher: str, mode: str
) -> None:
    capsule = letter.with_name("letter.ndks")
    assert call("encrypt", letter, "--cipher", cipher, "--mode", mode, "--unit", alice).status == 0
    words = words_of(call, capsule, "--unit", alice)
    assert len(words.split()) == 6
    assert set(words.split()) <= set(english().wordlist)
    assert words_of(call, capsule, "--unit", bob) == words
    assert words_of(call, capsule, "--network", network_file) == words
    assert call("decrypt", capsule, "--unit", bob, "-o", letter.with_name("opened")).status == 0
    assert words_of(call, capsule, "--unit", bob) == words, "what was accepted can still be checked"


def test_each_message_has_words_of_its_own(alice: str, bob: str, letter: Path, call: Call) -> None:
    found = set[str]()
    for name in ("1.ndks", "2.ndks"):
        assert call("encrypt", letter, "-o", letter.with_name(name), "--unit", alice).status == 0
        found.add(words_of(call, letter.with_name(name), "--unit", bob))
    assert len(found) == 2


def test_a_check_is_confirmed(alice: str, bob: str, letter: Path, call: Call) -> None:
    capsule = letter.with_name("letter.ndks")
    call("encrypt", letter, "--unit", alice)
    words = words_of(call, capsule, "--unit", alice)
    confirm = ("check", capsule, "--confirm", "Alice", "--by", "radio", "--unit", bob)
    done = call(*confirm, "--words", words.upper(), "--json")
    assert done.status == 0, done.stderr
    assert words not in done.text
    (noted,) = json.loads(call("check", "--json").text)["confirmations"]
    assert (noted["who"], noted["channel"], noted["words"], noted["held"]) == ("Alice", "radio", words, True)
    assert "Alice, by radio" in call("check").text


def test_a_failure_stays_until_it_is_resolved(alice: str, bob: str, letter: Path, call: Call) -> None:
    capsule = letter.with_name("letter.ndks")
    call("encrypt", letter, "--unit", alice)
    done = call("check", capsule, "--confirm", "Alice", "--words", OTHER, "--unit", bob)
    assert done.status == 1
    assert "WORDS" in done.stderr
    assert "ndks confine record" in done.stderr
    assert words_of(call, capsule, "--unit", bob) not in done.stderr, "the right words are not shown"
    for _ in range(2):
        assert "check FAILED" in call("check").text
    (failure,) = json.loads(call("check", "--json").text)["failures"]
    assert (failure["who"], failure["words"]) == ("Alice", OTHER)
    assert call("check", capsule, "--resolve", "Alice read out another letter").status == 0
    listed = call("check").text
    assert "check FAILED" not in listed
    assert "Alice read out another letter" in listed
    assert call("check", capsule, "--resolve", "again").status == 2


def test_words_that_are_no_words_are_not_noted(alice: str, bob: str, letter: Path, call: Call) -> None:
    capsule = letter.with_name("letter.ndks")
    call("encrypt", letter, "--unit", alice)
    for words in ("abandon", "abandon ability able about above xyzzy"):
        assert call("check", capsule, "--confirm", "Alice", "--words", words, "--unit", bob).status == 2
    assert call("check", capsule, "--confirm", "Alice", "--unit", bob).status == 2, "nobody is at the terminal"
    assert json.loads(call("check", "--json").text)["failures"] == []


def test_a_sender_that_has_noted_nothing(alice: str, letter: Path, call: Call) -> None:
    capsule = letter.with_name("letter.ndks")
    with ndks.open(alice) as unit:
        unit.encrypt(letter, capsule)
    done = call("check", capsule, "--unit", alice)
    assert done.status == 2
    assert "has not noted its check value" in done.stderr


def test_programs_are_told_the_check_value(alice: str, bob: str, letter: Path) -> None:
    capsule, told = letter.with_name("letter.ndks"), list[tuple[bytes, bytes]]()
    with ndks.open(alice) as unit:
        unit.encrypt(letter, capsule, told_check=lambda *values: told.append(values))
        header, check = told[0]
        assert header == capsule.read_bytes()[: len(header)]
    with ndks.open(bob) as unit:
        checked = unit.check_message(capsule)
        assert (checked.check, checked.lane, checked.refusal) == (check, 1, "")
        assert unit.unseal(capsule.read_bytes()) == letter.read_bytes(), "checking accepts nothing"


def test_a_damaged_capsule(alice: str, bob: str, letter: Path, call: Call) -> None:
    capsule = letter.with_name("letter.ndks")
    call("encrypt", letter, "--unit", alice)
    altered = bytearray(capsule.read_bytes())
    altered[60] ^= 1
    capsule.write_bytes(altered)
    done = call("check", capsule, "--unit", bob)
    assert (done.status, "AUTH" in done.stderr) == (5, True)


def test_the_book_is_private(alice: str, letter: Path, call: Call) -> None:
    call("encrypt", letter, "--cipher", "aes", "--mode", "a", "--unit", alice)
    path = home() / NAME
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    try:
        done = call("check")
    finally:
        path.chmod(0o600)
    assert (done.status, "FILE" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("x.ndks", "--message", "1:2"),
        ("--message", "12"),
        ("--message", "0:2"),
        ("--confirm", "Bob"),
        ("--resolve", "text"),
        ("--words", OTHER),
        ("x.ndks", "--words", OTHER),
        ("x.ndks", "--confirm", "Bob", "--resolve", "text"),
        ("x.ndks", "--confirm", "Bob\nSmith"),
        ("x.ndks", "--network", "a.ndksnet", "--unit", "x"),
        ("--schedule", "-1"),
        ("--schedule", "3", "--message", "1:2"),
    ],
)
def test_usage(call: Call, words: tuple[str, ...]) -> None:
    assert call("check", *words).status == 2
