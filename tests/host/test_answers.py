# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The JSON answers of commands have exactly the fields of the table in `ndks.cli.fields`."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.running import Finished, run_with_input
from support.answers import complaints
from support.checking import Desk
from support.emulate_process import emulated, running
from support.forks import ndks_process

import ndks
from ndks.agent import Store
from ndks.agent.checking import Checking
from ndks.agent.running.checks import Checks
from ndks.cli import build_parser, fields
from ndks.cli.parser import subparsers_of
from ndks.word_list import spoken_words

SALT = "5f1d3c0e9a7b42688d0f1e2d3c4b5a69"
BOOT_OUT = "Adafruit CircuitPython 10.0.3 on 2025-10-17; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"


def check(form: str, finished: Finished, status: int = 0) -> Any:
    assert finished.status == status, finished.stderr
    answer = json.loads(finished.text)
    assert answer.pop("schema") == 1
    assert list(complaints(answer, fields.fields_of(fields.ANSWERS[form]))) == []
    return answer


def test_every_command_is_in_the_table() -> None:
    commands = set[str]()
    for name, parser in subparsers_of(build_parser()).items():
        members = subparsers_of(parser)
        commands |= {f"{name} {member}" for member in members}
        if parser.get_default("handler"):  # a group may also be a command
            commands.add(name)
    assert [command for command in commands if not fields.answers_of(command)] == []
    assert [form for form in fields.ANSWERS if not any(f"{form} ".startswith(f"{name} ") for name in commands)] == []


def test_every_field_has_a_meaning_in_the_module_of_its_answers() -> None:
    users: dict[str, set[object]] = {"schema": set(fields.GROUPS)}  # all answers
    for group in fields.GROUPS:
        for form, text in group.ANSWERS.items():
            for entry in entries(fields.fields_of(text), (form.split()[0],)):
                users.setdefault(entry, set()).add(group)
    for entry in entries(fields.fields_of(fields.ERROR), ()):
        users.setdefault(entry, set()).update(fields.GROUPS)
    for group in fields.GROUPS:
        assert set(group.MEANINGS) == {entry for entry, groups in users.items() if groups == {group}}
    assert set(fields.shared.MEANINGS) == {entry for entry, groups in users.items() if len(groups) > 1}


def entries(known: fields.Fields, around: tuple[str, ...]) -> Iterator[str]:
    """Yield the name in `MEANINGS` of each field: with that of the nearest object around it, if it has one there."""
    for name in known.keys() - {"*"}:
        bare = fields.bare(name)
        narrow = [f"{inside}.{bare}" for inside in reversed(around)]
        yield next((entry for entry in narrow if entry in fields.MEANINGS), bare)
        yield from entries(known[name], (*around, bare))


def test_a_difference_is_seen() -> None:
    known = fields.fields_of("a b?(c d?) e[](f) g(*)")
    assert list(complaints({"a": 1, "b": {"c": 1}, "e": [{"f": 1}, {"f": 2}], "g": {"x": 1}}, known)) == []
    assert list(complaints({"a": 1, "b": None, "e": [], "g": {}}, known)) == []
    wrong = {"b": {"d": 1}, "e": [{"f": 1}, {"h": 2}], "i": 1}
    missing = ["a", "b?.c", "e[].f", "g"]
    found = list(complaints(wrong, known))
    assert found == [*(f"{name} is missing" for name in missing[:3]), "e[].h is not in the table", *found[4:]]
    assert found[4:] == ["g is missing", "i is not in the table"]


def test_units(alice: str, bob: str, network_file: Path, tmp_path: Path, call: Call) -> None:
    check("info", call("info", "--unit", alice, "--json"))
    check("eject", call("eject", "--unit", alice, "--json"))
    with emulated(tmp_path / "carol") as running, ndks.open(running.port):
        (unit,) = check("list", call("list", "--json"))["units"]
        assert unit["error"]["code"] == "BUSY"
    with emulated(tmp_path / "carol"):
        check("list", call("list", "--json"))
        doctor = call("doctor", "--json")
        check("doctor", doctor, doctor.status)
    check("zeroize", call("zeroize", "--yes", "--unit", bob, "--json"))
    check("provision --bind", call("provision", network_file, "--bind", "--unit", bob, "--json"))


def test_networks(tmp_path: Path, call: Call) -> None:
    file, unit = tmp_path / "lecture.ndksnet", f"emulator:{tmp_path / 'dave'}"
    check("network new", call("network", "new", "lecture", "--suite", "paper", "-o", file, "--json"))
    words = check("provision", call("provision", file, "--unit", unit, "--json"))["transport_code"]
    code = tmp_path / "code"
    code.write_text(words)
    check("bind", call("bind", "--code", code, "--unit", unit, "--json"))
    check("bind --allow-jump", call("bind", "--allow-jump", "--unit", unit, "--json"))
    doctor = call("doctor", "--json")
    check("doctor", doctor, doctor.status)
    check("bind --show", call("bind", "--show", "--json"))
    check("network show", call("network", "show", file, "--json"))
    check("network show", call("network", "show", "--parameters", file, "--json"))
    check("trust", call("trust", 1, 0, "--network", file, "--json"))
    check("trust", call("trust", 2, 0, "--unit", unit, "--json"))


def test_joining(network_file: Path, tmp_path: Path, call: Call) -> None:
    request, package, unit = tmp_path / "request", tmp_path / "package", ("--unit", f"emulator:{tmp_path / 'erin'}")
    for number, (form, *bind) in enumerate((("provision PACKAGE",), ("provision PACKAGE --bind", "--bind"))):
        ask, answer = request.with_suffix(f".{number}"), package.with_suffix(f".{number}")
        words = check("join request", call("join", "request", "-o", ask, *unit, "--json"))["words"]
        admit = ("provision", network_file, "--for", ask, "-o", answer, "--words", words, "--again", "--json")
        words = check("provision --for", call(*admit))["words"]
        check(form, call("provision", answer, "--words", words, *bind, *unit, "--json"))
        check("zeroize", call("zeroize", "--yes", *unit, "--json"))


def test_administered_networks(tmp_path: Path, call: Call) -> None:
    file, second, package, agreement = (tmp_path / name for name in ("a.ndksadmin", "second", "package", "agreement"))
    alice, bob = (("--unit", f"emulator:{tmp_path / name}") for name in ("alice", "bob"))
    last, who = ("--yes", "--json"), ("--network", file, "--who", "Carol")
    check("network new", call("network", "new", "a", "--administered", "-o", file, "--json"))
    asked = check("join request", call("join", "request", "-o", tmp_path / "request", *alice, "--json"))
    opened = ("--opened", asked["opening"])
    inspect = call("join", "inspect", tmp_path / "request", *who, *opened, "-o", agreement, "--json")
    words = ("--words", check("join inspect", inspect)["words"])
    approve = call("join", "approve", tmp_path / "request", *who, "-o", package, *words, *last)
    words = ("--words", check("join approve", approve)["words"])
    check("join accept", call("join", "accept", package, *words, *alice, *last))
    check("provision NAME.ndksadmin --bind", call("provision", file, "--bind", *bob, *last))
    check("network show NAME.ndksadmin", call("network", "show", file, "--parameters", "--json"))
    check("network another", call("network", "another", file, "-o", second, *last))
    check("network refresh", call("network", "refresh", file, *last))
    check("network merge", call("network", "merge", second, file, *last))
    check("network revoke", call("network", "revoke", file, 4, *last))
    check("network retire", call("network", "retire", file, 8, *last))
    (tmp_path / "stick").mkdir()
    check("network publish", call("network", "publish", file, "--carrier", f"dir:{tmp_path / 'stick'}", "--json"))
    old = tmp_path / "old.ndksnet"
    call("network", "new", "old", "-o", old)
    check("network upgrade", call("network", "upgrade", old, "-o", tmp_path / "new", *last))


def test_copies_of_bindings(alice: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    words = check("bind --backup", call("bind", "--backup", tmp_path / "home", "--json"))["backup_code"]
    monkeypatch.setattr("ndks.cli.stdin.is_terminal", lambda: False)
    monkeypatch.setattr("ndks.cli.stdin.read_all", lambda: words)
    (serial_number,) = ndks.BindingStore().units()[-1:]
    check("bind --forget", call("bind", "--forget", serial_number, "--yes", "--json"))
    check("bind --restore", call("bind", "--restore", tmp_path / "home", "--force", "--json"))


def test_keys(alice: str, desk: Path, call: Call) -> None:
    check("key", call("key", "--unit", alice, "--json"))
    check("key", call("key", "--unit", alice, "-o", desk / "key", "--json"))
    check("stream", call("stream", "--unit", alice, "--bits", 80, "-o", desk / "stream", "--json"))
    check("generate", call("generate", "--p1", "0.52", "--p2", "25", "--json"))


def test_keys_offline(network_file: Path, call: Call) -> None:
    check("key", call("key", "--network", network_file, "--index", 7, "--json"))


def test_capsules(alice: str, bob: str, network_file: Path, desk: Path, call: Call) -> None:
    letter, capsule = desk / "letter", desk / "letter.ndks"
    letter.write_text("Meet me at noon.")
    check("encrypt", call("encrypt", letter, "--unit", alice, "--json"))
    (letter.parent / "folder").mkdir()
    (letter.parent / "folder" / "link").symlink_to("x")
    folder = letter.parent / "folder.ndks"
    check("encrypt FOLDER", call("encrypt", letter.parent / "folder", "--unit", alice, "--json"))
    check("inspect --list", call("inspect", folder, "--list", "--unit", bob, "--json"))
    check("decrypt FOLDER.ndks", call("decrypt", folder, "-o", letter.parent / "out", "--unit", bob, "--json"))
    check("inspect", call("inspect", capsule, "--json"))
    for who in (("--unit", alice), ("--unit", bob), ("--network", network_file)):
        check("inspect", call("inspect", capsule, *who, "--json"))
    check("decrypt", call("decrypt", capsule, "--unit", bob, "-o", desk / "opened", "--json"))


def test_checks(alice: str, bob: str, desk: Path, call: Call) -> None:
    letter, capsule = desk / "letter", desk / "letter.ndks"
    letter.write_text("Meet me at noon.")
    call("encrypt", letter, "--unit", alice)
    words = check("check CAPSULE", call("check", capsule, "--unit", alice, "--json"))["words"]
    confirm = ("check", capsule, "--confirm", "Alice", "--unit", bob, "--json", "--words")
    check("check CAPSULE --confirm", call(*confirm, words))
    assert call(*confirm, "abandon ability able about above absent").status == 1
    check("check", call("check", "--json"))
    check("check --resolve", call("check", capsule, "--resolve", "a slip of the tongue", "--json"))
    store = Store()
    Checking(store).keep(4, 1, bytes(8))
    checks = Checks(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ndks.cli.check.client", lambda _: Desk(checks))
        check("check --message", call("check", "--message", "4:1", "--json"))
        words = spoken_words(bytes(8))
        confirm = ("check", "--message", "4:1", "--confirm", "Alice", "--words", words, "--json")
        check("check --message --confirm", call(*confirm))
        check("check --schedule", call("check", "--schedule", 100, "--json"))
        check("check", call("check", "--json"))


def test_confinement(alice: str, bob: str, network_file: Path, desk: Path, call: Call) -> None:
    for unit, name in ((alice, "a"), (bob, "b")):
        check("confine record", call("confine", "record", "-o", desk / name, "--unit", unit, "--json"))
    check("confine compare", call("confine", "compare", desk / "a", desk / "b", "--json"))
    both = call("confine", "compare", "--capsule", desk / "a", desk / "b", "--json")
    check("confine compare", both, 1)
    check("confine here", call("confine", "here", alice, bob, "--network", network_file, "--json"))


def test_symbols(alice: str, bob: str, desk: Path, call: Call) -> None:
    (desk / "signal").write_text("01..1")
    check("symbols seal", call("symbols", "seal", desk / "signal", "--unit", alice, "--json"))
    opened = call("symbols", "open", desk / "signal.ndks", "--unit", bob, "-o", desk / "opened", "--json")
    check("symbols open", opened)
    with ndks.open(alice) as unit:
        capsule = base64.b64encode(unit.seal_symbols([1]))
    line = run_with_input(capsule, "symbols", "open", "--live", "--unit", bob, "--json")
    check("symbols open --live", line)
    again = run_with_input(capsule, "symbols", "open", "--live", "--unit", bob, "--json")
    check("symbols open --live", again, again.status)
    check("symbols seal --live", run_with_input(b"01", "symbols", "seal", "--live", "--unit", alice, "--json"))


def test_emulate(tmp_path: Path) -> None:
    with emulated(tmp_path / "carol", "--control", str(tmp_path / "control"), "--json") as running:
        check("emulate", Finished(0, running.announced.encode(), ""))


def test_emulate_units() -> None:
    with running(partial(ndks_process, "emulate", "--units", "2", "--network", "office")) as units:
        check("emulate --units", Finished(0, units.announced.encode(), ""))


def test_deploy(tmp_path: Path, call: Call) -> None:
    (tmp_path / "boot_out.txt").write_text(BOOT_OUT)
    check("deploy", call("deploy", tmp_path, "--json"))


def test_faraday(alice: str, bob: str, desk: Path, call: Call) -> None:
    (desk / "letter").write_text("Meet me at noon.")
    check("faraday salt", call("faraday", "salt", "--json"))
    channels = call("faraday", "channels", "--json")
    check("faraday channels", channels, channels.status)
    run = ("faraday", "run", "--salt", SALT, "--keys", 1, "--accept-risk", "--json")
    check("faraday run", call(*run, "--unit", alice, "-o", desk / "a", "--message", desk / "letter"))
    check("faraday run", call(*run, "--unit", bob, "-o", desk / "b"))
    compared = call("faraday", "compare", desk / "a", desk / "b", "--json")
    check("faraday compare", compared, compared.status)


@pytest.mark.kernel
def test_demo(call: Call) -> None:
    check("demo", call("demo", "--json"))


def test_the_rest(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    check("completion", call("completion", "bash", "--json"))
    check("completion --install", call("completion", "bash", "--install", "--json"))
    check("completion --units", call("completion", "--units", "--json"))
    check("completion --tunnels", call("completion", "--tunnels", "--json"))
    check("help", call("help", "--json"))
    answer = check("help", call("help", "bind", "--json"))
    assert set(answer["answers"]) == {form for form in fields.ANSWERS if form.split()[0] == "bind"}
    check("version", call("version", "--json"))


def test_errors(call: Call) -> None:
    finished = call("key", "--unit", "emulator:nobody", "--json")
    answer = json.loads(finished.text)
    assert list(complaints(answer, fields.fields_of(f"schema {fields.ERROR}"))) == []
    assert (answer["error"]["code"], answer["error"]["exit_status"]) == ("NO_UNIT", finished.status)
