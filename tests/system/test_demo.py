# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the demo as a user runs it."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ndks_laboratory.demo import demonstrate
from ndks_laboratory.entropy import entropy, looks_random
from ndks_laboratory.outcome import FAILED

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="the demo needs pseudo-terminals")


def run_demo(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ndks", "demo", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env=os.environ | environment,
    )


def checks_of(values: dict[str, Any]) -> dict[str, bool | None]:
    return {check["name"]: check["held"] for check in values["checks"]}


def test_the_stage_holds(tmp_path: Path) -> None:
    directory = tmp_path / "stage"
    finished = run_demo("--json", "--directory", str(directory))
    assert finished.returncode == 0, finished.stderr
    values = json.loads(finished.stdout)
    assert values["held"]
    assert values["schema"] == 1
    assert len(values["keys"]) == 7
    for key in values["keys"]:
        alice, bob = (
            (directory / name / "keys" / f"{key['index']:03d}-{key['bits']}.key") for name in ("alice", "bob")
        )
        assert alice.read_bytes() == bob.read_bytes()
        assert len(alice.read_bytes()) == -(-key["bits"] // 8)
    assert [side["interrupted"] for side in values["sides"]] == [5, 5]


@pytest.mark.kernel
def test_the_cages_are_closed(tmp_path: Path) -> None:
    values = json.loads(run_demo("--json").stdout)
    namespaces = {side["namespace"] for side in values["sides"]} | {str(Path("/proc/self/ns/net").readlink())}
    assert len(namespaces) == 3
    for side in values["sides"]:
        assert side["interfaces"] == ["lo"]
        assert side["descriptors"].keys() == {"0", "1", "2"}
    assert all(checks_of(values).values())


def test_one_decimal_of_p1_is_seen() -> None:
    finished = run_demo("--fault", "p1")
    assert finished.returncode == 1
    assert "DIFFERENT" in finished.stdout
    assert finished.stdout.count("came out     DIVERGED") == 4
    assert "verdict: FAILED" in finished.stdout


def test_messages_arrive_and_roles_swap(tmp_path: Path) -> None:
    directory = tmp_path / "stage"
    values = json.loads(run_demo("--json", "--directory", str(directory)).stdout)
    turns = [(m["sender"], m["sealed_in"], m["opened_in"], m["cipher"]) for m in values["messages"]]
    assert turns == [
        ("alice", "b", "a", "vernam"),
        ("alice", "a", "b", "vernam"),
        ("bob", "b", "a", "aes"),
        ("bob", "a", "b", "aes"),
    ]
    for message in values["messages"]:
        sent = directory / message["sender"] / f"letter-{message['number']}.txt.ndks"
        received = directory / message["receiver"] / f"received-{message['number']}.ndks"
        assert received.read_bytes() == sent.read_bytes()
        assert received.read_bytes()[:16].hex() == message["first_bytes"]
        assert f"message number {message['number']}" in received.with_suffix(".txt").read_text()
        assert not sent.with_suffix("").exists()
        assert (message["same"], message["problem"]) == (True, "")
        assert message["entropy"] > 7.9
        assert message["entropy_of_text"] < 1
    assert {check["held"] for check in values["message_checks"]} <= {True, None}


def test_a_bit_altered_on_the_way_is_seen(tmp_path: Path) -> None:
    directory = tmp_path / "stage"
    finished = run_demo("--fault", "tamper", "--directory", str(directory))
    assert finished.returncode == 1
    assert "FAILED    every message was decrypted correctly (message 1: AUTH)" in finished.stdout
    assert "verdict: FAILED" in finished.stdout
    assert (directory / "bob" / "received-1.ndks").exists()
    assert not (directory / "bob" / "received-1.txt").exists()


@pytest.mark.parametrize("size", [3000, 100_000])
def test_the_measure_of_evenness(size: int) -> None:
    rng = random.Random(size)
    assert all(looks_random(rng.randbytes(size)) for _ in range(100))
    half_even = bytes(rng.choices(range(256), [1.5] * 128 + [0.5] * 128, k=size))
    assert not looks_random(half_even)
    assert entropy(bytes(range(256))) == 8
    assert entropy(b"A" * 100) == 0


def test_without_namespaces_the_result_says_so(tmp_path: Path) -> None:
    """A PATH without unshare simulates a system without namespaces."""
    finished = run_demo(PATH=str(tmp_path))
    assert finished.returncode == 0, finished.stderr
    assert "NOT SHOWN" in finished.stdout
    assert "cannot show that there was no channel" in finished.stdout
    assert "HELD" not in finished.stdout
    assert json.loads(run_demo("--json", PATH=str(tmp_path)).stdout)["held"] is None


def test_sides_keep_their_files_to_themselves(tmp_path: Path) -> None:
    directory = tmp_path / "stage"
    assert run_demo("--directory", str(directory)).returncode == 0
    for name in ("alice", "bob"):
        assert (directory / name).stat().st_mode & 0o777 == 0o700
        for path in (directory / name).rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    finished = run_demo("--directory", str(tmp_path))
    assert finished.returncode == 1
    assert finished.stderr.startswith("ndks: FILE: ")
    assert (tmp_path / "mine").read_text() == "keep"


@pytest.mark.kernel
def test_a_descriptor_in_common_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: both sides have a descriptor of the same file, which they can read and write."""
    with (tmp_path / "shared").open("w+b") as shared:

        class Sharing(subprocess.Popen[bytes]):
            def __init__(self, command: list[str], **options: Any) -> None:
                in_cage = "ndks_laboratory.stages.in_cage" in command
                super().__init__(command, **options, pass_fds=(shared.fileno(),) if in_cage else ())

        monkeypatch.setattr(subprocess, "Popen", Sharing)
        (tmp_path / "stage").mkdir()
        result = demonstrate(tmp_path / "stage", tell=lambda text: None)
    assert result.word == FAILED
    (check,) = (check for check in (*result.key_checks, *result.message_checks) if check.outcome.word == FAILED)
    assert check.name.startswith("neither side has a descriptor")
    assert str(tmp_path / "shared") in check.outcome.reason


def test_a_temporary_directory_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert run_demo(TMPDIR=str(tmp_path / "link")).returncode == 0
