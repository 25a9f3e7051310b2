# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Network files are private and never overwritten without --force; errors reveal nothing of a damaged file."""

import hashlib
import hmac
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.running import assert_refused, run

import ndks
from ndks_protocol import commands
from ndks_protocol.generator import F1, F2

SECRET = "5ec7e7" + "ab" * 29


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Make all files of these tests private, because `ndks` refuses other network files."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def good() -> dict[str, Any]:
    values = {"ndks_network": 1, "name": "office", "suite": "hybrid", "cipher": "vernam", "p1": "0.52", "p2": "25"}
    return values | {"d": 3, "epoch": 0, "secret": SECRET, "next_lane": 1, "members": []}


def without(field: str) -> str:
    return json.dumps({name: value for name, value in good().items() if name != field})


def having(**fields: object) -> str:
    return json.dumps(good() | fields)


NETWORK = ("office", "hybrid", "vernam", "0.52", "25", 3, 0, bytes.fromhex(SECRET))
MEMBER = {"lane": 1, "uid": "00" * 8, "label": ""}
DAMAGED = {
    "empty": "",
    "no JSON": json.dumps(good())[:-20],
    "no UTF-8": "\udcff",
    "no object": json.dumps([SECRET]),
    "another object": json.dumps({"secret": SECRET}),
    "nested without end": "[" * 100_000,
    "newer version": having(ndks_network=2),
    "version of a wrong kind": having(ndks_network={"secret": SECRET}),
    **{f"without {field}": without(field) for field in good()},
    "secret too short": having(secret=SECRET[:-2]),
    "secret too long": having(secret=SECRET + "00"),
    "secret not hexadecimal": having(secret=SECRET[:-1] + "g"),
    "secret no text": having(secret=[SECRET]),
    "p1 no decimal": having(p1="0,52"),
    "p1 in another notation": having(p1="5.2e-1"),
    "p1 zero": having(p1="0.000"),
    "p1 swapped with the secret": having(p1=SECRET),
    "p2 empty": having(p2=""),
    "d too large": having(d=13),
    "d no number": having(d="three"),
    "epoch negative": having(epoch=-1),
    "epoch infinite": json.dumps(good()).replace('"epoch": 0', '"epoch": 1e999'),
    "no lane any more possible": having(next_lane=0),
    "unknown suite": having(suite="enigma"),
    "unknown cipher": having(cipher=SECRET),
    "name too long": having(name="n" * (commands.MAX_NAME + 1)),
    "name on two lines": having(name="of\nfice"),
    "member with a field too many": having(members=[MEMBER | {"secret": SECRET}]),
    "member no object": having(members=[SECRET]),
    "members no list": having(members=3),
    "network id of another secret": having(network_id="00" * 8),
    "a lane given twice": having(members=[MEMBER, MEMBER | {"uid": "11" * 8}], next_lane=2),
    "a lane that is still to be given": having(members=[MEMBER]),
    "a lane that is no number": having(members=[MEMBER | {"lane": "1"}], next_lane=2),
    "a unit without uid": having(members=[MEMBER | {"uid": None}], next_lane=2),
    "members an object": having(members={}),
    "d with a fraction": having(d=3.9),
    "d true": having(d=True),
    "operators no object": having(operators=["polynomial", "cosine", "digit", "parity"]),
    "operators without f2": having(operators={"f1": "polynomial"}),
    "operators with f3": having(operators={"f1": "polynomial", "f2": "cosine", "f3": "digit"}),
    "operators that are no text": having(operators={"f1": 1, "f2": 2}),
    "unknown f1": having(operators={"f1": "tangent", "f2": "cosine"}),
    "unknown f2": having(operators={"f1": "sinusoid", "f2": "sinusoid"}),
    "hyperbolic p1 too large": having(operators={"f1": "hyperbolic", "f2": "cosine"}, p1="-1000.1"),
    "network id of other operators": having(
        operators={"f1": "sinusoid", "f2": "cosine_cube"}, network_id=ndks.Network(*NETWORK).network_id
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_file_is_named_and_nothing_of_it_is_quoted(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndksnet"
    path.write_text(DAMAGED[kind], errors="surrogateescape")
    with pytest.raises(ndks.NetworkFileError) as refused:
        ndks.Network.load(path)
    assert str(path) in str(refused.value)
    assert refused.value.advice
    assert SECRET[:16] not in str(refused.value)
    # A traceback reveals no more than the message.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize("kind", ["no JSON", "without p1", "secret not hexadecimal", "newer version", "p1 no decimal"])
def test_command_refuses_a_damaged_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndksnet"
    path.write_text(DAMAGED[kind])
    finished = run("provision", path, "--unit", f"emulator:{tmp_path / 'alice'}", "--verbose")
    assert_refused(finished, "NETWORK_FILE", 1)
    assert SECRET[:16] not in finished.stderr
    assert path.read_text() == DAMAGED[kind]
    assert not (tmp_path / "alice").exists()  # the refusal came before the search for a unit


def test_missing_file(tmp_path: Path) -> None:
    finished = run("provision", tmp_path / "none.ndksnet", "--unit", f"emulator:{tmp_path / 'alice'}")
    assert_refused(finished, "FILE", 1)
    assert "none.ndksnet" in finished.stderr


def test_good_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "good.ndksnet"
    path.write_text(json.dumps(good() | {"members": [MEMBER | {"binding_id": "11" * 16}], "next_lane": 2}))
    network = ndks.Network.load(path)
    network.save(path, overwrite=True)
    assert ndks.Network.load(path) == network
    assert network.members == (ndks.Member(1, "00" * 8, "", "11" * 16),)


@pytest.mark.parametrize("f1", F1)
@pytest.mark.parametrize("f2", F2)
def test_operators_are_read_back_and_left_out_when_they_are_those_of_equation_7(
    f1: str, f2: str, tmp_path: Path
) -> None:
    path = tmp_path / "good.ndksnet"
    path.write_text(having(operators={"f1": f1, "f2": f2}))
    network = ndks.Network.load(path)
    assert (network.f1, network.f2) == (f1, f2)
    network.save(path, overwrite=True)
    assert ndks.Network.load(path) == network
    assert ("operators" in json.loads(path.read_text())) == ((f1, f2) != ("sinusoid", "cosine"))


def test_network_id_is_that_of_before_for_equation_7_and_another_for_every_other_chain() -> None:
    context = b"\1\3\x040.52\x0225"
    for number, (f1, f2) in enumerate(itertools.product(F1, F2)):
        operators = bytes(divmod(number, 3)) if number else b""
        derived = hmac.digest(bytes.fromhex(SECRET), b"ndks network id\0" + context + operators, hashlib.sha256)
        assert ndks.Network(*NETWORK, f1=f1, f2=f2).network_id == derived[:8].hex()


def test_unknown_operator_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.ndksnet"
    for operators, name in (({"f1": "tangent", "f2": "cosine"}, "f1"), ({"f1": "sinusoid", "f2": "sine"}, "f2")):
        path.write_text(having(operators=operators))
        with pytest.raises(ndks.NetworkFileError, match=f"no such operator {name}"):
            ndks.Network.load(path)


def test_new_network_with_operators(tmp_path: Path) -> None:
    run("network", "new", "office", "--f1", "hyperbolic", "--f2", "cosine_square", cwd=tmp_path)
    values = json.loads((tmp_path / "office.ndksnet").read_text())
    assert values["operators"] == {"f1": "hyperbolic", "f2": "cosine_square"}
    assert "f1 hyperbolic, f2 cosine_square" in run("network", "show", "office.ndksnet", cwd=tmp_path).text


def test_new_network_is_a_private_file_with_a_fresh_secret(tmp_path: Path) -> None:
    secrets = set()
    for name in ("office", "home"):
        finished = run("network", "new", name, cwd=tmp_path)
        assert (finished.status, finished.stderr) == (0, "")
        path = tmp_path / f"{name}.ndksnet"
        assert path.stat().st_mode & 0o777 == 0o600
        values = json.loads(path.read_text())
        assert set(values) == set(good()) | {"network_id"}
        assert len(values["p1"].partition(".")[2]) == len(values["p2"].partition(".")[2]) == 40
        assert values["secret"] not in finished.text
        secrets.add(values["secret"])
    assert len(secrets) == 2


def test_new_network_refuses_to_overwrite(tmp_path: Path) -> None:
    run("network", "new", "office", cwd=tmp_path)
    path = tmp_path / "office.ndksnet"
    before = path.read_bytes()
    assert_refused(run("network", "new", "office", cwd=tmp_path), "FILE", 1)
    assert path.read_bytes() == before
    assert run("network", "new", "office", "--force", cwd=tmp_path).status == 0
    assert path.read_bytes() != before


def test_new_network_as_json(tmp_path: Path) -> None:
    finished = run("network", "new", "office", "--json", "-o", tmp_path / "o.ndksnet", "--p1", "0.52", "--p2", "25")
    values = json.loads(finished.text)
    assert values == {
        "schema": 1,
        "network": "office",
        "suite": "hybrid",
        "cipher": "vernam",
        "network_id": ndks.Network.load(tmp_path / "o.ndksnet").network_id,
        "file": str(tmp_path / "o.ndksnet"),
    }


def test_show_tells_all_but_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "o.ndksnet"
    path.write_text(having(members=[MEMBER | {"label": "alice"}], next_lane=2))
    for options in (["--parameters"], ["--parameters", "--json"]):
        finished = run("network", "show", path, *options)
        assert finished.status == 0
        for word in ("office", ndks.Network.load(path).network_id, "0.52", "alice", "00" * 8):
            assert word in finished.text
        assert SECRET not in finished.text + finished.stderr


def test_suite_paper_is_warned_of(tmp_path: Path) -> None:
    finished = run("network", "new", "lecture", "--suite", "paper", "--json", cwd=tmp_path)
    assert [line for line in finished.stderr.splitlines() if "WARNING" in line] == finished.stderr.splitlines()
    assert len(finished.stderr.splitlines()) == 1
    assert "warning" in json.loads(finished.text)


@pytest.mark.parametrize(
    "arguments",
    [
        [""],
        ["n" * (commands.MAX_NAME + 1)],
        ["of\nfice"],
        ["office", "--p1", "0"],
        ["office", "--p1", "half"],
        ["office", "--p2", "1e3"],
        ["office", "-d", "0"],
        ["office", "-d", "13"],
        ["office", "--f1", "tangent"],
        ["office", "--f2", "sinusoid"],
        ["office", "--f1", "hyperbolic", "--p1", "1001"],
    ],
)
def test_impossible_network_is_refused(
    arguments: list[str], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(call("network", "new", *arguments), "USAGE", 2)
    assert list(tmp_path.iterdir()) == []


def test_network_does_not_show_its_secret(network: ndks.Network) -> None:
    assert network.secret.hex() not in repr(network)
    assert repr(network.secret) not in repr(network)


def test_a_network_file_that_others_can_read(tmp_path: Path, call: Call) -> None:
    network = tmp_path / "office.ndksnet"
    call("network", "new", "office", "-o", network)
    network.chmod(0o640)
    finished = call("network", "show", network)
    assert_refused(finished, "FILE", 1)
    assert finished.advice == f"chmod 600 {network}"


def test_parameters_are_shown_on_request_only(tmp_path: Path, call: Call) -> None:
    network = tmp_path / "office.ndksnet"
    call("network", "new", "office", "--p1", "0.5204", "--p2", "25.375", "-o", network)
    assert "0.5204" not in call("network", "show", network).text + call("network", "show", network, "--json").text
    shown = json.loads(call("network", "show", network, "--parameters", "--json").text)
    assert (shown["p1"], shown["p2"]) == ("0.5204", "25.375")
    assert "0.5204" in call("network", "show", network, "--parameters").text
