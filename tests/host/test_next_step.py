# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The advice of an error leads to a command that works as it stands, with the unit that was named."""

import json
from pathlib import Path

import pytest
from host.conftest import Call
from host.fake_usb import plug_in_devices, plug_in_ports
from host.running import assert_refused, run

import ndks


@pytest.fixture(autouse=True)
def nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug_in_ports(monkeypatch)
    plug_in_devices(monkeypatch)
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "home"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_log_file_is_one_warning(alice: str) -> None:
    finished = run("key", "--index", 1, "--unit", alice, "--log-file", "/dev/full")
    assert (finished.status, len(finished.output)) == (0, 65)
    warned = [line for line in finished.stderr.splitlines() if "WARNING" in line]
    assert warned == ["ndks: WARNING: log file /dev/full ends here: No space left on device"]
    assert len(finished.stderr.splitlines()) == 2  # and the line about the key


def test_a_file_that_is_no_network_file_is_not_made_private(tmp_path: Path, call: Call) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Alice")
    letter.chmod(0o644)
    assert_refused(call("provision", letter, "--unit", f"emulator:{tmp_path / 'unit'}"), "NETWORK_FILE", 1)


def test_a_network_with_units_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.chdir(tmp_path)
    file, copies = Path("office.ndksnet"), [Path("office.ndksnet.old"), Path("office.ndksnet.old2")]
    for copy in (None, *copies):
        before = file.read_bytes() if copy else b""
        made = call("network", "new", "office", "--force", "--json")
        assert made.status == 0
        if copy:
            assert json.loads(made.text)["kept_as"] == str(copy)
            assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (before, 0o600)
            assert ndks.Network.load(copy).members
        ndks.Network.load(file).admit("00" * 8, "")[0].save(file, overwrite=True)
    file.chmod(0o644)  # counts too
    refused = call("network", "new", "office")
    assert_refused(refused, "FILE", 1)
    assert "office.ndksnet is a network with 1 unit; a new one cannot talk to them" in refused.stderr
    assert refused.advice == "give the new one another name: ndks network new NAME"
    assert call("network", "new", "NAME").status == 0


def test_a_network_without_units_is_replaced_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    call("network", "new", "office")
    assert "--force" in call("network", "new", "office").advice
    assert "kept_as" not in json.loads(call("network", "new", "office", "--force", "--json").text)
    assert not list(tmp_path.glob("*.old"))
