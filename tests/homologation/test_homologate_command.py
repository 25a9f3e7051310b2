# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The whole command `ndks homologate` on two emulated units."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import dpkt
import pytest
from homologation.browser import BROWSER, check_page
from support.answers import complaints

from ndks.cli import fields
from ndks_laboratory.homologation.adversaries.roster import ACTIVE, NETWORK, PASSIVE
from ndks_laboratory.homologation.requirements import REQUIREMENTS

pytestmark = pytest.mark.kernel

KNOWN = fields.fields_of(f"schema {fields.ANSWERS['homologate']}")
OF_NETWORKS = [adversary.label for adversary in NETWORK]
LABELS = [adversary.label for adversary in (*PASSIVE, *ACTIVE)]


def ndks(*arguments: str, directory: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ndks", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=590, check=False)


def test_hybrid_deserves_approval(tmp_path: Path) -> None:
    finished = ndks("homologate", "--units", "3", "-o", "report", "--seed", "1", directory=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert report["verdict"] == "APPROVED"
    assert [(row["id"], row["verdict"]) for row in report["requirements"]] == [(r.id, "met") for r in REQUIREMENTS]
    units_target, *controls = report["targets"]
    assert [finding["label"] for finding in units_target["findings"]] == [*LABELS, *OF_NETWORKS]
    assert {finding["succeeded"] for finding in units_target["findings"]} == {False}
    assert [control["as_expected"] for control in controls] == [True] * (4 + 7)
    check_documents(tmp_path / "report", report, tmp_path)


def test_paper_is_refused_and_says_what_was_read(tmp_path: Path) -> None:
    units = ("--unit", f"emulator:{tmp_path / 'a'}", "--unit", f"emulator:{tmp_path / 'b'}")
    # Other parameters would decide by chance how much of some key an adversary finds.
    p1, p2 = "0.5176380902050415246977976752480966576648", "61.8033988749894848204586834365638117720309"
    options = ("--suite", "paper", "--p1", p1, "--p2", p2, "--seed", "1", "--primal-bits", "1000000", "--json")
    finished = ndks("homologate", *units, "-o", "report", *options, directory=tmp_path)
    assert finished.returncode == 1
    report = json.loads(finished.stdout)
    assert report["verdict"] == "NOT APPROVED"
    assert "suite paper" in report["warning"]
    assert list(complaints(report, KNOWN)) == []
    assert report["judged_as"] == "pair"
    by_label = {finding["label"]: finding for finding in report["targets"][0]["findings"]}
    assert {label for label, finding in by_label.items() if finding["succeeded"]} >= {"A1", "A2", "A3", "A8", "S"}
    # Tags are secure, but two keystreams of suite paper may be similar by chance.
    assert {adversary.label for adversary in ACTIVE if by_label[adversary.label]["succeeded"]} <= {"A7g"}
    verdicts = {row["id"]: row["verdict"] for row in report["requirements"]}
    assert {verdicts[number] for number in ("R7", "R8", "R10", "R11", "R13")} == {"not met"}
    held = "R1", "R2", "R3", "R4", "R5", "R6", "R15", "R16", "R17", "R19", "R20"
    assert {verdicts[number] for number in held} == {"met"}
    (read,) = [reason for reason in report["reasons"] if reason.startswith("A1 ")]
    assert by_label["A1"]["summary"] in read
    assert "read" in read
    assert [control["as_expected"] for control in report["targets"][1:]] == [True] * 4
    check_documents(tmp_path / "report", report, tmp_path)


def check_documents(directory: Path, report: dict, scratch: Path) -> None:
    """Check that the capture is the one named in the report, and that the page agrees with report.json."""
    (named,) = report["files"]
    check_certificate(directory, report)
    capture = directory / named["name"]
    assert hashlib.sha256(capture.read_bytes()).hexdigest() == named["sha256"]
    with capture.open("rb") as file:
        assert sum(1 for _ in dpkt.pcap.Reader(file)) > 4 * 6  # handshakes and closings of four connections
    if BROWSER:
        check_page(directory / "report.html", report, scratch)


def check_certificate(directory: Path, report: dict) -> None:
    certificate = json.loads((directory / "certificate.json").read_text())
    content = (directory / "report.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert certificate.pop("report") == {"name": "report.json", "bytes": len(content), "sha256": digest}
    assert certificate.pop("units") == [
        {name: unit[name] for name in ("serial_number", "firmware", "protocol", "part")} for unit in report["units"]
    ]
    assert certificate == {
        "schema": 1,
        **{name: report[name] for name in ("date", "product", "verdict", "judged_as")},
        "suite": report["network"]["suite"],
        "digits": 3,
    }


def test_units_that_are_in_use_are_left_alone(tmp_path: Path) -> None:
    assert ndks("network", "new", "office", directory=tmp_path).returncode == 0
    own = ndks("provision", "office.ndksnet", "--bind", "--unit", "emulator:a", directory=tmp_path)
    assert own.returncode == 0
    finished = ndks("homologate", "--unit", "emulator:a", "--unit", "emulator:b", "-o", "report", directory=tmp_path)
    assert finished.returncode == 2
    assert "only blank units can be tested. Do: erase it, if nobody needs it: ndks zeroize" in finished.stderr
    assert ndks("key", "--unit", "emulator:a", directory=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--unit", "emulator:a"], "the test needs two or more units"),
        (["--unit", "emulator:a", "--units", "3"], "--units makes units, and --unit names others"),
        (["--units", "2", "--fault", "unrevoked"], "a unit is stolen and revoked in a network only"),
        (["--unit", "emulator:a", "--unit", "socket://127.0.0.1:7000"], "cannot be in a cage"),
        (["--unit", "emulator:a", "--unit", "emulator:a"], "two ports lead to the same unit"),
        (["--unit", "emulator:a", "--unit", "emulator:b", "--flash", "x"], "--flash must be given for both"),
        (3 * ["--unit", "emulator:a"], "two ports lead to the same unit"),
        (["--unit", "emulator:a", "--unit", "emulator:b", "--expert-finding", "none.json"], "there is no "),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], words: str, tmp_path: Path) -> None:
    finished = ndks("homologate", *arguments, "-o", "report", directory=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert words in finished.stderr


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report/mine.txt").write_text("mine")
    units = ("--unit", "emulator:a", "--unit", "emulator:b")
    finished = ndks("homologate", *units, "-o", "report", directory=tmp_path)
    assert finished.returncode == 1
    assert "is not empty" in finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
