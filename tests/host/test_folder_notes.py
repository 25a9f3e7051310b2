# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Notes beside an unfinished folder: how they grow, and those that are cut off, damaged, altered, or of others."""

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from host.folding import cut_at, seen_in, small_volumes, volumes_done
from host.interrupting import capsule, folder

import ndks
from ndks.driver.folder_plans import Behind, PackingPlan, UnpackingPlan, load, load_or_refuse, plan_of, save
from ndks.exceptions import FileError
from ndks.folders.rules import KEPT_IN_PART, LEFT_OUT, MOST_LEVELS, MOST_NAME, Notes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("capsule", "folder", "small_volumes")


def test_notes_on_unpacking_grow_by_a_line_a_volume(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not written anew, so that a folder of any size costs what each of its volumes does."""
    target, seen = capsule.with_name("out"), list[tuple[int, bytes]]()
    note = UnpackingPlan.note

    def seen_before(plan: UnpackingPlan, target: Path, behind: Behind) -> None:
        seen.append((plan_of(target).stat().st_ino, plan_of(target).read_bytes()))
        note(plan, target, behind)

    monkeypatch.setattr(UnpackingPlan, "note", seen_before)
    with ndks.open(bob) as unit:
        assert unit.decrypt_folder(capsule, target).volumes == len(seen) > 3
    assert len({file for file, _ in seen}) == 1
    for (_, before), (_, after) in itertools.pairwise(seen):
        assert after.startswith(before)
        assert after.count(b"\n") == before.count(b"\n") + 1
        assert len(after) - len(before) < 1000


def test_notes_with_the_longest_names(tmp_path: Path) -> None:
    notes, longest = Notes(), "/".join(["\1" * MOST_NAME] * MOST_LEVELS)
    for kind in LEFT_OUT | KEPT_IN_PART:
        for _ in range(5):
            notes.add(kind, longest)
    plan = PackingPlan(volumes=1, noted=asdict(notes))
    save(tmp_path / "x", plan)
    assert load(tmp_path / "x", PackingPlan) == plan


@pytest.mark.parametrize(
    "damage", [lambda line: line[:-1], lambda line: line[:99], lambda _: bytes(99), lambda _: b'{"header": "xy"}\n']
)
@pytest.mark.parametrize("volumes_left", [1, 2])
def test_notes_whose_last_line_was_cut_off(
    capsule: Path,
    folder: Path,
    bob: str,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
    volumes_left: int,
) -> None:
    """As a power cut can leave them: it goes on behind the volume before, which the folder has gone beyond."""
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 1 + volumes_left):
            unit.decrypt_folder(capsule, target)
        *lines, last = plan_of(target).read_bytes().splitlines(keepends=True)
        assert len(lines) == volumes_left
        plan_of(target).write_bytes(b"".join(lines) + damage(last))
        assert volumes_done(target, "decrypt") == volumes_left - 1
        with cut_at(monkeypatch, "open_message_keys", 2):
            unit.decrypt_folder(capsule, target)
        assert volumes_done(target, "decrypt") == volumes_left - 1 + 1
        assert len(plan_of(target).read_bytes().splitlines()) == volumes_left + 1
        unit.decrypt_folder(capsule, target)
    assert seen_in(target) == seen_in(folder)


@pytest.mark.parametrize("name", ["../outside", "../outside/file", "..", ".", ""])
def test_notes_lead_nowhere_else(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever can write the notes gets nothing removed or written that lies outside of the unfinished folder."""
    target, outside = capsule.with_name("out"), capsule.with_name("outside")
    outside.mkdir()
    (outside / "file").write_text("mine")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 3):
            unit.decrypt_folder(capsule, target)
        *lines, last = plan_of(target).read_text().splitlines()
        notes = json.loads(last)
        writer, stream = notes["writer"], notes["stream"]
        if name.endswith("file"):
            writer["file"] = [name, 0o644, 0, 0]
        else:
            writer["folders"][1:] = [[name, 0o755, 0]]
            writer["file"], stream["last"][:] = None, ["", ""]
        plan_of(target).write_text("\n".join([*lines, json.dumps(notes), ""]))
        with pytest.raises(FileError) as raised:
            unit.decrypt_folder(capsule, target)
        assert (outside / "file").read_text() == "mine"
        assert "notes on the unfinished folder are damaged" in str(raised.value)
        unit.decrypt_folder(capsule, target, restart=True)
    assert seen_in(target) == seen_in(folder)


@pytest.mark.parametrize("left", ["user", "hard link", "link"])
@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_notes_that_others_may_have_written(
    capsule: Path, folder: Path, alice: str, bob: str, left: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a directory such as /tmp anybody can leave a folder, with notes that say that it was unpacked from here."""
    if left == "user" and os.geteuid() != 0:
        pytest.skip("only root may give files away")
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        if verb == "decrypt":
            with cut_at(monkeypatch, "accept", 1):
                unit.decrypt_folder(capsule, target)
            (target / "8.bin").write_text("not from alice")
        else:
            with cut_at(monkeypatch, "message_keys", 2):
                unit.encrypt_folder(folder, target)
        notes = plan_of(target)
        if left == "user":
            os.chown(notes, 65534, 65534)
        elif left == "hard link":
            os.link(notes, notes.with_name("theirs"))
        else:
            notes.rename(notes.with_name("theirs"))
            notes.symlink_to("theirs")
        ways: dict[str, Callable[[], object]] = {
            "encrypt": lambda: unit.encrypt_folder(folder, target),
            "decrypt": lambda: unit.decrypt_folder(capsule, target),
        }
        with pytest.raises(FileError, match="ndks did not make it"):
            ways[verb]()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PackingPlan, {"noted": {"counts": {}}}),
        (PackingPlan, {"noted": {"counts": {}, "names": 3}}),
        (PackingPlan, {"volumes": "3"}),
        (UnpackingPlan, {"first": 3}),
        (UnpackingPlan, {"more": 1}),
        (UnpackingPlan, [3]),
    ],
)
def test_damaged_notes_are_none(tmp_path: Path, kind: Any, values: object) -> None:
    plan_of(tmp_path / "x").write_text(json.dumps(values))
    assert load(tmp_path / "x", kind) is None
    with pytest.raises(FileError, match="ndks did not make it"):
        load_or_refuse(tmp_path / "x", kind)
