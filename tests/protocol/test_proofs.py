# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The models in protocol/proofs get the answers that they state, and what proves them notices any other."""

import os
import shutil
from pathlib import Path

import proofs
import pytest

PROVERIF = os.environ.get("PROVERIF") or "proverif"
needs_proverif = pytest.mark.consumers(PROVERIF)
TINY = """(* license

   A tiny model.

       {stated}  x stays secret
       reachable  it ends

   proverif tiny.pv *)
free c: channel.
free x: bitstring [private].
event End().
query attacker(x).
query event(End()).
process out(c, c); event End()
"""
NOTHING_PROVED = "Nothing was proved: there is no proverif on the PATH"


def answers_of(model: Path) -> tuple[str, ...]:
    return proofs.prove(PROVERIF, proofs.read(model))


@needs_proverif
@pytest.mark.parametrize("model", proofs.models(), ids=lambda model: model.path.stem)
def test_proverif_answers_as_stated(model: proofs.Model):
    assert proofs.prove(PROVERIF, model) == model.answers


SESSION = (
    ("  if tag = derive(s, unit_proof, th) then\n", "", {0, 1}),  # a host that looks at no proof gives the KEK
    ("  if tag = derive(s, host_proof, th) then\n", "", {2}),
    ("derive(s, host_proof, th)", "derive(s, unit_proof, th)", {2}),  # a unit's proof comes back to it
    ("hmac(a, bytes(z))", "hmac(zeros, bytes(z))", {0, 1, 2, 3, 4}),  # X25519 without A
    ("hmac(a, bytes(z))", "a", {0}),  # A without X25519
    ("sha256(t)", "sha256((session_3, eh, rh, eu, ru))", {1, 2}),  # the answer to HELLO is altered
    ("sha256(t)", "sha256((session_3, said, eh, eu, ru))", {1, 2}),
    ("sha256(t)", "sha256((session_3, said, eh, rh, eu))", {1, 2}),
    ("if d = hmac(derive(s, mac, th), (first, kind, ct)) then ", "", {3, 4}),
    ("sha256(t)", "sha256((session_3, said, rh, ru))", set[int]()),  # these two are for the real curve: docs/proofs.md
    ("  if z <> low then\n", "", set[int]()),
)
JOINING = (
    ("=six_words(request)", "w: words", {0}),
    ("=six_words(package)", "w: words", {1}),
    ("words_of_requests(=name", "words_of_requests(speaker: person", {0}),  # somebody's voice, no matter whose
    ("words_of_packages(=name", "words_of_packages(called: person", {1}),
    ("if tag = hmac(derive(k, join_mac, empty), ct) then\n", "", {1}),
    ("  if z <> low then\n", "", set[int]()),
)

STEP = ("derive(m, member_next, empty)", "m")  # the key of a lane's notices is always the same
NETWORK = (
    ("network.pvl", "network_thief", *STEP, {0}),  # a thief opens the notices of before
    ("network.pvl", "network_past", *STEP, {0, 2, 4}),
    ("network.pvl", "network_thief", "derive(e, renew, empty)", "e", {0}),
    ("network.pvl", "network_past", "derive(k, control, empty)", "derive(k, header, empty)", {4}),  # past beacons
    ("network.pvl", "network_outsider", "  if verified(s, (ndks_bundle, unsigned), p) then\n", "", {4}),
    ("network.pvl", "network_outsider", "derive(m, hint, empty)", "m", {0, 1, 2, 3, 5, 6}),
    ("network_newcomer.pv", "network_newcomer", "none, (g2, G2))", "none, (g1, G1, g2, G2))", {0}),
    ("network_vouchers.pv", "network_vouchers", "=sha256(m)", "digest: bitstring", {0}),
    ("network_vouchers.pv", "network_vouchers", "(=s, text: bitstring)", "(t: bitstring, text: bitstring)", set[int]()),
)

TUNNEL = (
    ("tunnel.pvl", "tunnel_pair_door", "(challenge, knock)", "knock", {0}),  # a knock is repeated
    ("tunnel_resumed.pvl", "tunnel_resumed", "h1 = (challenge, resumed,", "h1 = (resumed,", {2}),
    ("tunnel_resumed.pvl", "tunnel_resumed", "name, ea) in", "ea) in", {1, 2, 3, 4}),  # it ends in another tunnel
)


@needs_proverif
@pytest.mark.parametrize(
    ("library", "scenario", "part", "instead", "fallen"),
    [
        *(("session.pvl", "session_stolen", *fault) for fault in SESSION),
        *(("joining.pvl", "joining_words", *fault) for fault in JOINING),
        *NETWORK,
        *TUNNEL,
    ],
)
def test_what_a_part_is_for(
    tmp_path: Path, library: str, scenario: str, part: str, instead: str, fallen: set[int]
) -> None:
    """Where a part is taken out, just the properties that need it fall."""
    folder = shutil.copytree(proofs.FOLDER, tmp_path / "proofs")
    text = (folder / library).read_text()
    assert part in text
    (folder / library).write_text(text.replace(part, instead))
    scenario += ".pv"
    stated = proofs.read(folder / scenario).answers
    expected = tuple("false" if number in fallen else answer for number, answer in enumerate(stated))
    assert answers_of(folder / scenario) == expected


@needs_proverif
def test_false_expectation_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PROVERIF", PROVERIF)
    model = tmp_path / "tiny.pv"
    model.write_text(TINY.format(stated="true     "))
    assert proofs.main([str(tmp_path)]) == 0
    assert proofs.main(["--check", str(tmp_path)]) == 0
    model.write_text(TINY.format(stated="false    "))
    assert proofs.main(["--check", str(tmp_path)]) == 1  # not what was proved
    assert proofs.main([str(tmp_path)]) == 1
    assert "tiny.pv: stated false, ProVerif says true: x stays secret" in capsys.readouterr().err


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs the proof of a tiny model with a stand-in for ProVerif, which says given lines."""
    (tmp_path / "tiny.pv").write_text(TINY.format(stated="true     "))

    def run(*lines: str, status: int = 0) -> int:
        program = tmp_path / "proverif"
        program.write_text(f"#!/bin/sh\ncat <<END\n{chr(10).join(lines)}\nEND\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PROVERIF", str(program))
        return proofs.main([str(tmp_path)])

    return run


SECRET, ENDS = "Query not attacker(x[]) is true.", "Query not event(End) is false."
SUMMARY = ("RESULT as below", "", "Verification summary:", "")


def test_answers_as_stated_are_noted(says, tmp_path: Path):
    assert says(*SUMMARY, SECRET, "", ENDS) == 0
    assert (tmp_path / "proved.txt").read_text().endswith("  tiny.pv  true reachable\n")


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((SECRET.replace("true", "false"), ENDS), "stated true, ProVerif says false: x stays secret"),
        ((SECRET.replace("is true", "cannot be proved"), ENDS), "stated true, ProVerif says cannot be proved"),
        ((SECRET, ENDS.replace("is false", "is true")), "stated reachable, ProVerif says not reachable: it ends"),
        ((SECRET, ENDS.replace("is false", "cannot be proved")), "stated reachable, ProVerif says cannot be proved"),
        ((ENDS, SECRET), "stated true, ProVerif says reachable"),
        ((SECRET,), "2 queries, 1 answers"),
    ],
)
def test_other_answers_are_refused(says, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines, complaint: str):
    assert says(*SUMMARY, *lines) == 1
    assert f"tiny.pv: {complaint}" in capsys.readouterr().err
    assert not (tmp_path / "proved.txt").exists()


def test_failing_proverif_is_told(says, capsys: pytest.CaptureFixture[str]):
    assert says("Error: Syntax error.", status=2) == 1
    assert says("RESULT but no summary") == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "tiny.pv: ProVerif failed, with exit status 2: Error: Syntax error."
    assert second.startswith("tiny.pv: ProVerif failed, with exit status 0")


def test_slow_proverif_is_told(says, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(proofs, "SECONDS", 0.0)
    assert says(*SUMMARY, SECRET, ENDS) == 1
    assert "tiny.pv: no answer in 0.0 seconds" in capsys.readouterr().err


def test_no_proverif_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("PROVERIF", raising=False)
    assert proofs.main([]) == 0
    assert capsys.readouterr().out.startswith(NOTHING_PROVED)
    monkeypatch.setenv("PROVERIF", "/nowhere/proverif")
    assert proofs.main([]) == 1
    assert "PROVERIF=/nowhere/proverif is no program" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        ("true      ", "its head states 1 answers, it has 2 queries"),
        ("maybe     ", "its head states 0 answers, it has 2 queries"),
    ],
)
def test_head_that_does_not_fit_is_refused(tmp_path: Path, stated: str, complaint: str):
    (tmp_path / "tiny.pv").write_text(TINY.format(stated=stated).replace("       reachable", "       perhaps"))
    with pytest.raises(proofs.ProofError, match=complaint):
        proofs.read(tmp_path / "tiny.pv")


def test_model_without_an_end_is_refused(tmp_path: Path):
    (tmp_path / "tiny.pv").write_text(TINY.format(stated="true     ").replace("reachable", "false    "))
    with pytest.raises(proofs.ProofError, match="no query shows that its end is reachable"):
        proofs.read(tmp_path / "tiny.pv")


def test_models_are_those_that_were_proved():
    assert proofs.main(["--check"]) == 0


def test_comments_need_no_new_proof(tmp_path: Path):
    folder = shutil.copytree(proofs.FOLDER, tmp_path / "proofs")
    library = folder / "session.pvl"
    library.write_text(library.read_text() + "(* a word more *)\n")
    assert proofs.main(["--check", str(folder)]) == 0
    library.write_text(library.read_text() + "free more: bitstring.\n")
    assert proofs.main(["--check", str(folder)]) == 1
