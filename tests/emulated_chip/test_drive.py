# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The drive of a chip: what is written is read, also by programs of others, and as CircuitPython writes it."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_chip.fat12 import DRIVE_SIZE, SECTOR, BadDrive, DriveFull, Tree, make_drive, new_drive, read_drive
from ndks_chip.fat_names import BadName

SIZES = [0, 1, SECTOR - 1, SECTOR, SECTOR + 1, 5 * SECTOR, 9000]
TREES = 20
DATA_AT = 40 * SECTOR

names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"*/:<>?\\|\x7f'), min_size=1).filter(
    lambda name: name == name.strip(" ") and not name.endswith(".") and len(name.encode("utf-16-le")) <= 510
)
contents = st.sampled_from(SIZES).map(lambda size: random.Random(size).randbytes(size))
trees = st.recursive(
    contents, lambda below: st.dictionaries(names, below, max_size=6), max_leaves=20
).filter(lambda tree: isinstance(tree, dict))  # fmt: skip


def has_twins(tree: Tree) -> bool:
    """Return whether two names in a directory differ by small letters and capitals only."""
    below = [content for content in tree.values() if isinstance(content, dict)]
    return len({name.upper() for name in tree}) < len(tree) or any(map(has_twins, below))


def random_tree(rng: random.Random, depth: int = 0) -> Tree:
    letters = "abcXYZ0123456789 ._-~"
    tree: Tree = {}
    for number in range(rng.randrange(1, 15)):
        name = "".join(rng.choices(letters, k=rng.randrange(0, 60))).strip(" .") + f"x{number}"
        tree[name] = (
            random_tree(rng, depth + 1) if depth < 3 and rng.random() < 0.2 else rng.randbytes(rng.choice(SIZES))
        )
    return tree


@given(trees)
def test_what_is_written_is_read(tree: Tree) -> None:
    if has_twins(tree):
        with pytest.raises(BadName):
            make_drive(tree)
    else:
        assert read_drive(make_drive(tree)) == tree


@pytest.mark.consumers("mcopy", "fsck.fat|/usr/sbin/fsck.fat")
def test_programs_of_others_read_it(tmp_path: Path) -> None:
    rng = random.Random(12)
    for number in range(TREES):
        tree = {**new_drive(), "lib": random_tree(rng)}
        image, copied = tmp_path / "drive.img", tmp_path / str(number)
        image.write_bytes(make_drive(tree))
        copied.mkdir()
        run("/usr/sbin/fsck.fat" if Path("/usr/sbin/fsck.fat").exists() else "fsck.fat", "-n", str(image))
        run("mcopy", "-s", "-i", str(image), "::", str(copied))
        assert on_disk(copied) == tree


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def on_disk(directory: Path) -> Tree:
    return {path.name: on_disk(path) if path.is_dir() else path.read_bytes() for path in directory.iterdir()}


def test_names_of_eight_and_three_capitals_need_no_long_name() -> None:
    drive = make_drive({"README.TXT": b"", "code.py": b""})
    root = drive[8 * SECTOR : 9 * SECTOR]
    assert [root[at : at + 11] for at in range(0, 128, 32)][1] == b"README  TXT"
    assert root[2 * 32 + 11] == 0x0F
    assert root[3 * 32 : 3 * 32 + 11] == b"CODE~1  PY "


def test_many_long_names_are_distinct() -> None:
    tree: Tree = {"d": {f"a long name of number {number}.py": b"" for number in range(300)}}
    drive = make_drive(tree)
    assert read_drive(drive) == tree
    short = [drive[at : at + 11] for at in range(DATA_AT, DRIVE_SIZE, 32) if drive[at] and drive[at + 11] == 0]
    assert len(set(short)) == len(short) == 300


def test_a_file_of_all_the_room_and_one_of_a_byte_more() -> None:
    room = DRIVE_SIZE - DATA_AT
    assert read_drive(make_drive({"big": b"x" * room})) == {"big": b"x" * room}
    with pytest.raises(DriveFull, match="1004 KB"):
        make_drive({"big": b"x" * (room + 1)})


def test_the_root_directory_has_an_end() -> None:
    make_drive({f"F{number}": b"" for number in range(511)})
    with pytest.raises(DriveFull, match="512 entries"):
        make_drive({f"F{number}": b"" for number in range(512)})


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a\nb", "end.", "end ", " begin", "x" * 256, "?"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(BadName):
        make_drive({name: b""})


@pytest.mark.parametrize("volume", [b"", bytes(DRIVE_SIZE), b"\xff" * DRIVE_SIZE])
def test_what_is_no_drive_is_refused(volume: bytes) -> None:
    with pytest.raises(BadDrive, match="no drive"):
        read_drive(volume)


def test_damage_is_noticed_or_harmless() -> None:
    """No damage of the tables leads to an endless loop or to another error."""
    rng = random.Random(7)
    drive = make_drive({**new_drive(), "lib": random_tree(rng)})
    outcomes = set[bool]()
    for _ in range(1000):
        damaged = bytearray(drive)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(SECTOR, DATA_AT + 8 * SECTOR)] = rng.randrange(256)
        try:
            read_drive(bytes(damaged))
            outcomes.add(True)
        except BadDrive:
            outcomes.add(False)
    assert outcomes == {True, False}


def test_two_files_on_one_sector_are_noticed() -> None:
    drive = bytearray(make_drive({"A": b"a", "B": b"b"}))
    first, second = 8 * SECTOR + 32, 8 * SECTOR + 64
    drive[second + 26 : second + 28] = drive[first + 26 : first + 28]
    with pytest.raises(BadDrive, match="same sector"):
        read_drive(bytes(drive))
