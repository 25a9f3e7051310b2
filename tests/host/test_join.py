# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining by request and package: between two laptops, and everything that is refused on the way."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.joining import Joining
from host.running import Finished, assert_refused, run, run_at_terminal
from host.watched_line import watch_lines
from support.emulate_process import emulated
from support.reference import load_vectors

import ndks
from ndks.laptop.homes import HOME
from ndks.network.admission import admit_by_request
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import JoinRequest, load_request
from ndks.network.network_file import Network

LOW_ORDER: list[str] = load_vectors("x25519")["low_order"]
WRONG_WORDS = "zoo zoo zoo zoo zoo zoo"
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def joining(tmp_path: Path, network_file: Path) -> Joining:
    return Joining(tmp_path, network_file, f"emulator:{tmp_path / 'unit'}")


def members(joining: Joining) -> list[tuple[int, str]]:
    return [(member.lane, member.label) for member in Network.load(joining.network_file).members]


def key(port: str, **environment: str) -> bytes:
    finished = run("key", "--unit", port, **environment)
    assert finished.status == 0, finished.stderr
    return finished.output


def test_a_unit_joins_over_a_line_and_shares_keys(tmp_path: Path, network_file: Path, alice: str) -> None:
    with emulated(tmp_path / "unit") as unit:
        joining = Joining(tmp_path, network_file, unit.port)
        requested, answered = joining.request("--label", "carol"), joining.answer("--json")
        assert requested.stderr == ""
        assert requested.text.splitlines()[-1] == load_request(joining.request_file).words
        assert json.loads(answered.text)["words"] == JoinPackage.load(joining.package_file).words
        used = joining.use("--bind")
        assert (used.status, used.stderr) == (0, "")
        assert "is a member of network office, lane 1\n" in used.text
        assert "is bound to this laptop" in used.text
        assert key(unit.port, **joining.environment) == key(alice)
    assert members(joining) == [(1, "carol")]


def test_all_files_are_private(joining: Joining) -> None:
    joining.until_package()
    assert joining.use("--bind").status == 0
    modes = {path: oct(path.stat().st_mode & 0o777) for path in joining.directory.rglob("*") if path.is_file()}
    assert set(modes.values()) == {"0o600"}, modes


def test_a_unit_for_a_third_laptop_is_bound_by_its_words(joining: Joining, tmp_path: Path) -> None:
    joining.until_package()
    used = joining.use()
    assert used.status == 0
    assert_refused(joining.candidate("key"), "LOCKED", 5)
    code = tmp_path / "code"
    code.write_text(used.text.splitlines()[-1])
    there = {HOME: str(tmp_path / "there")}
    assert run("bind", "--code", code, "--unit", joining.port, **there).status == 0
    assert len(key(joining.port, **there)) == 65


def test_answers_in_json(joining: Joining) -> None:
    requested = json.loads(joining.request("--json").text)
    answered = json.loads(joining.answer("--json").text)
    used = json.loads(joining.use("--bind", "--json").text)
    network = Network.load(joining.network_file)
    assert requested["file"] == str(joining.request_file)
    assert answered["file"] == str(joining.package_file)
    assert requested["serial_number"] == answered["serial_number"] == used["serial_number"]
    assert used["network_id"] == answered["network_id"] == network.network_id
    assert (used["network"], used["lane"], used["suite"]) == ("office", 1, "hybrid")
    assert network.secret.hex() not in json.dumps([requested, answered, used])


def test_words_are_typed_when_asked_for(joining: Joining) -> None:
    assert joining.request("--network", "office").status == 0
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    assert_refused(run_at_terminal(f"{WRONG_WORDS}\n".encode(), *ask), "WORDS", 1)
    heard = load_request(joining.request_file).words.split()
    in_two_lines = f"{' '.join(heard[:2])}\n{' '.join(word[:4].upper() for word in heard[2:])}\n"
    answered = run_at_terminal(in_two_lines.encode(), *ask)
    assert answered.status == 0, answered.stderr
    told = set(heard) & set(answered.stderr.split())  # nobody can type what he reads instead of what he hears
    assert len(told) < 5, told  # some may be words of the message: "will", "code"
    words = JoinPackage.load(joining.package_file).words
    use = ("provision", joining.package_file, "--bind", "--unit", joining.port)
    assert_refused(run_at_terminal(b"\x04", *use, **joining.environment), "USAGE", 2)
    used = run_at_terminal(f"{words}\n".encode(), *use, **joining.environment)
    assert used.status == 0, used.stderr
    assert len(key(joining.port, **joining.environment)) == 65


# What is refused


def refused_request(joining: Joining, finished: Finished, code: str, status: int) -> None:
    assert_refused(finished, code, status)
    assert not joining.package_file.exists()
    assert members(joining) == []


def refused_package(joining: Joining, finished: Finished, code: str, status: int) -> None:
    assert_refused(finished, code, status)
    with ndks.open(joining.port) as unit:
        assert unit.hello.state == "blank"
    assert not list((joining.directory / "candidate").glob("units/*"))


@pytest.mark.parametrize("words", [WRONG_WORDS, None])
def test_other_words(words: str | None, joining: Joining) -> None:
    joining.until_package()
    words = words or load_request(joining.request_file).words
    refused_package(joining, joining.use("--bind", words=words), "WORDS", 1)
    other = joining.directory / "other.ndkspackage"
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", other, "--again", "--words")
    assert_refused(run(*ask, JoinPackage.load(joining.package_file).words), "WORDS", 1)
    assert not other.exists()
    assert Network.load(joining.network_file).next_lane == 2


@pytest.mark.parametrize("words", ["", "zoo", f"{WRONG_WORDS} zoo", "zoo zoo zoo zoo zoo zzzz"])
def test_what_is_not_six_words(words: str, joining: Joining) -> None:
    joining.request()
    refused_request(joining, joining.answer(words=words), "USAGE", 2)


def test_nobody_to_ask(joining: Joining) -> None:
    joining.request()
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    refused = run(*ask)
    refused_request(joining, refused, "USAGE", 2)
    assert '--words "SIX WORDS"' in refused.advice
    assert load_request(joining.request_file).words not in refused.stderr


@pytest.mark.parametrize("low", LOW_ORDER)
def test_a_request_with_a_public_key_of_low_order(
    low: str, joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = JoinRequest.new("0123456789ABCDEF", bytes.fromhex(low))
    request.save(joining.request_file)
    ask = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    refused_request(joining, call(*ask, "--words", request.words), "PUBLIC_KEY", 5)


def test_a_request_for_another_network(joining: Joining) -> None:
    joining.request("--network", "lecture")
    refused = joining.answer()
    refused_request(joining, refused, "CHECK_FAILED", 1)
    assert "lecture" in refused.stderr
    assert "office" in refused.stderr


def test_a_request_of_another_version(joining: Joining) -> None:
    joining.request()
    joining.change(joining.request_file, lambda values: values.update(ndks_join_request=3))
    refused = joining.answer(words=WRONG_WORDS)
    refused_request(joining, refused, "JOINING_FILE", 1)
    assert "of another version" in refused.stderr
    assert "upgrade" in refused.advice


def test_a_unit_that_has_a_lane_already(joining: Joining) -> None:
    joining.until_package()
    package = joining.package_file.read_bytes()
    joining.package_file.unlink()
    refused = joining.answer()
    assert_refused(refused, "PROVISIONED", 4)
    assert "on lane 1" in refused.stderr
    assert "--again" in refused.advice
    assert not joining.package_file.exists()
    assert joining.answer("--again", "--label", "again").status == 0
    assert members(joining) == [(2, "again")]
    assert joining.package_file.read_bytes() != package
    assert joining.use("--bind").status == 0


@pytest.mark.parametrize("there", ["file", "directory", "link", "no directory", "name too long"])
def test_a_file_that_is_there_is_never_overwritten(there: str, joining: Joining) -> None:
    path = joining.directory / {"no directory": "no/file", "name too long": "n" * 300}.get(there, "there")
    if there == "file":
        path.write_text("kept")
    elif there == "directory":
        path.mkdir()
    elif there == "link":
        path.symlink_to(joining.directory / "nowhere")
    assert joining.request().status == 0
    for refused in (joining.answer("-o", path), joining.request("-o", path)):
        assert_refused(refused, "FILE", 1)
        assert "--force" not in refused.advice
    assert there != "file" or path.read_text() == "kept"
    assert not (joining.directory / "nowhere").exists()
    assert members(joining) == []
    with ndks.open(joining.port) as unit:  # its key is still the one of the request
        admit_by_request(joining.network_file, load_request(joining.request_file)).save(joining.package_file)
        assert unit.join_package(joining.package_file).lane == 1


def test_stdout_is_no_place_for_them(joining: Joining) -> None:
    joining.request()
    for refused in (joining.answer("-o", "-"), joining.request("-o", "-")):
        assert_refused(refused, "USAGE", 2)
    assert members(joining) == []


def test_a_package_for_another_unit(joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    joining.until_package()
    other = f"emulator:{joining.directory / 'other'}"
    with ndks.open(other, create=True) as unit:
        unit.joining_key()
        serial_number = unit.hello.serial_number
    requests = watch_lines(monkeypatch)
    words = JoinPackage.load(joining.package_file).words
    refused = call("provision", joining.package_file, "--words", words, "--bind", "--unit", other)
    assert_refused(refused, "PACKAGE", 5)
    assert serial_number in refused.stderr
    assert requests == ["HELLO"]
    assert not ndks.BindingStore().unit(serial_number).transport_code


def test_a_package_for_another_unit_under_this_ones_name(joining: Joining) -> None:
    joining.until_package()
    with ndks.open(f"emulator:{joining.directory / 'other'}", create=True) as unit:
        request = JoinRequest.new(load_request(joining.request_file).serial_number, unit.joining_key())
    joining.package_file.unlink()
    admit_by_request(joining.network_file, request, again=True).save(joining.package_file)
    refused_package(joining, joining.use("--bind"), "PACKAGE", 5)


def test_a_package_for_a_key_that_is_void(joining: Joining) -> None:
    joining.until_package()
    joining.forget_request()
    joining.request()
    refused_package(joining, joining.use("--bind"), "PACKAGE", 5)
    joining.package_file.unlink()
    joining.answer("--again")
    assert joining.use("--bind").status == 0


def test_a_package_that_was_used(joining: Joining) -> None:
    joining.until_package()
    assert joining.use("--bind").status == 0
    refused = joining.use("--bind")
    assert_refused(refused, "PROVISIONED", 4)
    assert joining.candidate("zeroize", "--yes").status == 0
    refused = joining.use("--bind")
    refused_package(joining, refused, "NO_JOINING_KEY", 4)
    assert f"ndks join request --unit {joining.port}" in refused.advice


def test_a_package_for_a_unit_without_a_joining_key(joining: Joining) -> None:
    joining.until_package()
    assert joining.candidate("zeroize", "--yes").status == 0
    refused_package(joining, joining.use("--bind"), "NO_JOINING_KEY", 4)


def altered(values: dict[str, Any]) -> None:
    sealed = bytearray.fromhex(values["sealed"])
    sealed[40] ^= 1
    values["sealed"] = sealed.hex()


def short(digits: int) -> Edit:
    return lambda values: values.update(sealed=values["sealed"][:digits])


@pytest.mark.parametrize(
    ("edit", "code", "is_asked"),
    [
        (altered, "PACKAGE", True),
        (short(-2), "PACKAGE", True),
        (short(200), "PACKAGE", True),
        (short(94), "PACKAGE", False),
        (short(0), "PACKAGE", False),
        *(
            (lambda values, low=low: values.update(sealed=low + values["sealed"][64:]), "PUBLIC_KEY", False)
            for low in LOW_ORDER[:4]
        ),
    ],
)
def test_a_package_that_was_altered(
    edit: Edit, code: str, is_asked: bool, joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ndks.open(joining.port, create=True) as unit:
        request = unit.join_request()
    admit_by_request(joining.network_file, request).save(joining.package_file)
    joining.change(joining.package_file, edit)
    words = JoinPackage.load(joining.package_file).words  # as if the administrator had sent it so
    requests = watch_lines(monkeypatch)
    refused = call("provision", joining.package_file, "--words", words, "--bind", "--unit", joining.port)
    refused_package(joining, refused, code, 5)
    assert ("PROVISION_SEALED" in requests) == is_asked
    assert not ndks.BindingStore().unit(request.serial_number).transport_code


def test_a_package_that_was_altered_on_its_way(joining: Joining) -> None:
    joining.until_package()
    words = JoinPackage.load(joining.package_file).words
    joining.change(joining.package_file, altered)
    refused_package(joining, joining.use("--bind", words=words), "WORDS", 1)


def test_a_package_of_another_version(joining: Joining) -> None:
    joining.until_package()
    joining.change(joining.package_file, lambda values: values.update(ndks_join_package=3))
    refused = joining.use(words=WRONG_WORDS)
    refused_package(joining, refused, "JOINING_FILE", 1)
    assert "upgrade" in refused.advice


def test_a_package_that_was_cut_short(joining: Joining) -> None:
    joining.until_package()
    joining.package_file.write_bytes(joining.package_file.read_bytes()[:300])
    refused = joining.use(words=WRONG_WORDS)
    refused_package(joining, refused, "JOINING_FILE", 1)
    assert "cut short" in refused.stderr
    assert "sent again" in refused.advice


def test_a_member_makes_no_request(alice: str, desk: Path, call: Call) -> None:
    assert_refused(call("join", "request", "--unit", alice, "-o", desk / "request"), "PROVISIONED", 4)
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize(
    "option", [("--network", "a/b"), ("--network", "n" * 33), ("--label", "a\nb"), ("--label", "l" * 65)]
)
def test_texts_that_no_request_can_have(option: tuple[str, str], joining: Joining, desk: Path, call: Call) -> None:
    with ndks.open(joining.port, create=True) as unit:
        request = unit.join_request()
    refused = call("join", "request", "--unit", joining.port, "-o", desk / "request", *option)
    assert_refused(refused, "USAGE", 2)
    assert list(desk.iterdir()) == []
    with ndks.open(joining.port) as unit:  # its key is not void
        assert unit.join_package(admit_by_request(joining.network_file, request)).lane == 1


def test_options_that_mean_nothing(joining: Joining, call: Call) -> None:
    with ndks.open(joining.port, create=True) as unit:
        unit.join_request().save(joining.request_file)
        request = load_request(joining.request_file)
    admit_by_request(joining.network_file, request).save(joining.package_file)
    network, package, ask = joining.network_file, joining.package_file, joining.request_file
    for arguments, said in (
        ((network, "--for", ask), "-o is missing"),
        ((network, "--for", ask, "-o", "new", "--bind"), "--bind has no meaning"),
        ((network, "--for", ask, "-o", "new", "--unit", joining.port), "--unit has no meaning"),
        ((network, "-o", "new"), "-o has no meaning"),
        ((network, "--again"), "--again has no meaning"),
        ((network, "--words", WRONG_WORDS), "--words are those of a request or a package"),
        ((package, "--label", "x"), "--label has no meaning"),
        ((ask,), "is a request, which an administrator answers"),
    ):
        refused = call("provision", *arguments)
        assert_refused(refused, "USAGE", 2)
        assert said in refused.stderr
    for arguments in ((package, "--for", ask), (network, "--for", package), (network, "--for", network)):
        refused = call("provision", *arguments, "-o", joining.directory / "new", "--words", WRONG_WORDS)
        assert refused.error_code in ("NETWORK_FILE", "JOINING_FILE")
    assert not Path("new").exists()
