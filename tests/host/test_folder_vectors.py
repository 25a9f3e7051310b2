# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of folders: the packer makes exactly these bytes, and the reader takes these, and no others."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from host.folding import nobody
from support.public_network import public_network

from ndks.driver import folder_sealing
from ndks.driver.folder_opening import FolderOpener
from ndks.driver.folder_sealing import FolderSealer
from ndks.driver.folder_volumes import Volume, open_volume
from ndks.driver.offline_capsules import unseal_offline
from ndks.driver.program_keys import OpeningKeys, SealingKeys
from ndks.exceptions import FolderError
from ndks.files import Sink, Source
from ndks.folders import volumes
from ndks.folders.volumes import FIRST, Place

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "protocol" / "vectors" / "folders.json").read_text())


def made(case: dict[str, Any], place: Path) -> Path:
    """Make the folder of a good case."""
    for entry in case["entries"]:
        path = place / entry["path"]
        if "folder" in entry:
            path.mkdir()
        else:
            path.write_bytes(bytes.fromhex(entry["content"]))
    for entry in reversed(case["entries"]):
        (place / entry["path"]).chmod(entry["mode"])
        os.utime(place / entry["path"], ns=(entry["time"], entry["time"]))
    return place


def seen(place: Path, entry: dict[str, Any]) -> dict[str, Any]:
    path = place / entry["path"]
    status = path.stat()
    kind = {"folder": True} if path.is_dir() else {"content": path.read_bytes().hex()}
    return {"path": entry["path"], "mode": status.st_mode & 0o7777, "time": status.st_mtime_ns, **kind}


def values(volume: dict[str, Any]) -> dict[str, bytes]:
    return {name: bytes.fromhex(volume[name]) for name in ("header", "tag_key", "sync", "aes_key", "check")}


@pytest.mark.parametrize("case", VECTORS["good"], ids=["few", "one", "fills"])
def test_packing_makes_these_bytes(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "TEXT_SIZE", case["text_size"])
    monkeypatch.setattr(folder_sealing, "new_place", lambda: Place(bytes.fromhex(case["folder"]), 0, FIRST))
    keys = iter([SealingKeys(**values(volume)) for volume in case["volumes"]])
    sealer = FolderSealer(made(case, tmp_path / "folder"), lambda: next(keys), lambda *_: None, nobody)
    sink = io.BytesIO()
    assert sealer.into_stream(sink).volumes == len(case["volumes"])
    assert sink.getvalue().hex() == "".join(volume["capsule"] for volume in case["volumes"])


@pytest.mark.parametrize("case", VECTORS["good"], ids=["few", "one", "fills"])
def test_unpacking_takes_these_bytes(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "TEXT_SIZE", case["text_size"])
    keys = {volume["header"]: OpeningKeys(lane=2, number=volume["n"], **values(volume)) for volume in case["volumes"]}

    def opening(source: Source, sink: Sink) -> Volume:
        return open_volume(lambda header: keys[header.hex()], source, sink)

    source = io.BytesIO(b"".join(bytes.fromhex(volume["capsule"]) for volume in case["volumes"]))
    accepted: list[str] = []
    opener = FolderOpener(source, opening, lambda header: accepted.append(header.hex()), nobody)
    opener.into_folder(tmp_path / "out", restart=False)
    assert accepted == list(keys)
    assert [seen(tmp_path / "out", entry) for entry in case["entries"]] == case["entries"]
    assert sum(1 for _ in (tmp_path / "out").rglob("*")) == len(case["entries"]) - 1


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: case["why"])
def test_bad_volumes_are_refused(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "TEXT_SIZE", case["text_size"])

    network = public_network()

    def opening(source: Source, sink: Sink) -> Volume:
        opened = unseal_offline(network, source, sink, lambda _: None)
        return Volume(opened.header, opened.lane, opened.number)

    source = io.BytesIO(b"".join(map(bytes.fromhex, case["capsules"])))
    opener = FolderOpener(source, opening, lambda _: pytest.fail("accepted"), nobody)
    with pytest.raises(FolderError):
        opener.into_folder(tmp_path / "out", restart=False)
    assert not [*tmp_path.iterdir()]
