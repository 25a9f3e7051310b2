# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files of administrators: read strictly, written before anything is sent, never shown to others (section 13)."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.agents import NETWORK, ROOT, administrator, joined

from ndks.exceptions import FileError, NetworkFileError
from ndks.network.administration import Administration
from ndks.network.administrator_file import load, opened, save
from ndks.network.generation import Admission

ADMISSION = Admission("Alice's unit", "ab" * 32, (("machine", "cd" * 16),), "Bob", "2026-11-28", "needs it")


def full() -> Administration:
    admin = administrator()
    joined(admin, 2)
    admin.admit("00000000000000FF", ADMISSION)
    admin.revoke([4])
    admin.issue(operators=(4, 1, 2))
    return replace(admin.state, authority="ssh-ed25519 AAAA")


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "far.ndksadmin"
    state = full()
    save(state, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path) == state
    assert load(str(path)).members[2].admission == ADMISSION
    with pytest.raises(FileError, match="exists"):
        save(state, path)
    assert NETWORK.secret.hex() in path.read_text()


def test_changes_are_in_the_file_before_the_bundle_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "far.ndksadmin"
    save(Administration(NETWORK, ROOT), path)
    with opened(path) as admin:
        admin.admit("00000000000000FF")
        bundle = admin.issue()
        assert load(path).bundles == (bundle,)
    with opened(path) as admin:
        assert admin.issue().g == 4
    assert load(path).g == 4


def test_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "far.ndksadmin"
    save(Administration(NETWORK, ROOT), path)
    monkeypatch.setattr("ndks.times.LOCK_TIMEOUT", 0.1)
    with opened(path), pytest.raises(FileError, match="in use"), opened(path):
        raise AssertionError


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "far.ndksadmin"
    save(full(), path)
    path.chmod(0o644)
    with pytest.raises(FileError, match="others may read"):
        load(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no"):
        load(tmp_path / "far.ndksadmin")
    with pytest.raises(FileError, match="cannot be written"):
        save(full(), tmp_path / "folder" / "far.ndksadmin")


DAMAGE: dict[str, Any] = {
    "root": ["00" * 31, 5, "zz" * 32, None],
    "number": [4, -1, True, "0"],
    "numbers": ["1"],
    "next_lane": [1.5, -4, 0x10000],
    "revocations": ["96", None, -1, 97],
    "g": [8, -2, None],
    "authority": [None],
    "members": [5, [{}], [{"lane": 4}]],
    "generations": [[], [{"g": 0}], "x"],
    "bundles": [["Qg=="], ["!"], 3],
    "network": [{}, None],
    "ndks_administrator": [2, True, "1"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in DAMAGE.items() for value in values])
def test_damaged_fields_are_refused(field: str, value: Any, tmp_path: Path) -> None:
    refused(tmp_path, {**values_of(tmp_path), field: value})


@pytest.mark.parametrize("field", DAMAGE)
def test_missing_fields_are_refused(field: str, tmp_path: Path) -> None:
    values = values_of(tmp_path)
    del values[field]
    refused(tmp_path, values)


def test_unknown_fields_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, {**values_of(tmp_path), "more": 1})
    for name in ("members", "generations"):
        values = values_of(tmp_path)
        values[name][0]["more"] = 1
        refused(tmp_path, values)


@pytest.mark.parametrize(("name", "value"), [("uid", "12"), ("state", "gone"), ("lane", 0), ("commitments", [["a"]])])
def test_damaged_members_are_refused(name: str, value: Any, tmp_path: Path) -> None:
    values = values_of(tmp_path)
    values["members"][0][name] = value
    refused(tmp_path, values)


@pytest.mark.parametrize(("name", "value"), [("secret", "00"), ("operators", [1, 2]), ("revoked", ["4"]), ("g", "0")])
def test_damaged_generations_are_refused(name: str, value: Any, tmp_path: Path) -> None:
    values = values_of(tmp_path)
    values["generations"][0][name] = value
    refused(tmp_path, values)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"ndks_administrator": 1, "ndks_administrator": 1}', b"\xff"])
def test_what_is_no_such_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(NetworkFileError, match="other"):
        load(path)


def values_of(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "good"
    save(full(), path, overwrite=True)
    return json.loads(path.read_text())


def refused(tmp_path: Path, values: dict[str, Any]) -> None:
    path = tmp_path / "damaged"
    path.write_text(json.dumps(values))
    path.chmod(0o600)
    with pytest.raises(NetworkFileError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert ROOT.hex() not in str(error.value)
    assert NETWORK.secret.hex() not in str(error.value)
