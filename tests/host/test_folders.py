# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders in capsules: there and back with units, and volumes that were mixed up, cut off, altered, doubled."""

import asyncio
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from host.conftest import Call, MakeUnit
from host.folding import SMALL_TEXT, Seen, make_folder, packed, seen_in, small_volumes
from host.running import assert_refused, command_line, environment, run_with_input
from support.emulate_process import PATIENCE, emulated
from support.serve_process import served
from unit.other_member import OtherMember

import ndks
import ndks.aio
from ndks.driver.folder_plans import plan_of
from ndks.driver.folder_volumes import capsule_size
from ndks.exceptions import AuthenticationError, DeviceError, FileError, FolderError
from ndks.folders.volumes import FIRST, HEAD_SIZE, MARK, Place

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("small_volumes",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", size=100_000)


@pytest.fixture
def seen(folder: Path) -> Seen:
    return seen_in(folder)


@pytest.fixture
def capsule(folder: Path, alice: str, small_volumes: None) -> Path:
    """Return a folder in small volumes, sealed by alice."""
    with ndks.open(alice) as unit:
        sealed = unit.encrypt_folder(folder, folder.with_name("photos.ndks"))
    assert (sealed.files, sealed.folders) == (12, 5)
    assert sealed.volumes == -(-len(packed(folder)) // (SMALL_TEXT - HEAD_SIZE)) > 2
    return folder.with_name("photos.ndks")


def volumes_of(capsule: Path) -> list[bytes]:
    data, size = capsule.read_bytes(), capsule_size()
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_there_and_back(capsule: Path, bob: str, seen: Seen, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with ndks.open(bob) as unit:
        opened = unit.decrypt_folder(capsule, tmp_path / "out", progress=lambda *each: told.append(each))
        assert (opened.lane, opened.files, opened.folders) == (1, 12, 5)
        assert sum(files for _, files in told) == 12
        assert opened.bytes == sum(len(content or b"") for _, _, content in seen.values())
        assert seen_in(tmp_path / "out") == seen
        with pytest.raises(DeviceError) as raised:
            unit.decrypt_folder(capsule, tmp_path / "again")
        assert raised.value.code == "DUPLICATE"
        unit.decrypt_folder(capsule, tmp_path / "again", again=True)
    assert seen_in(tmp_path / "again") == seen
    assert not [*tmp_path.glob("*.part*")]


def test_progress_and_checks_of_what_is_sealed(folder: Path, seen: Seen, alice: str, small_volumes: None) -> None:
    told: list[tuple[int, int]] = []
    checks: list[tuple[bytes, bytes]] = []
    sink = io.BytesIO()
    with ndks.open(alice) as unit:
        sealed = unit.encrypt_folder(
            folder, sink, progress=lambda *each: told.append(each), told_check=lambda *each: checks.append(each)
        )
    assert [sum(each) for each in zip(*told, strict=True)] == [sealed.bytes, 12]
    starts = range(0, len(sink.getvalue()), capsule_size())
    assert [header for header, _ in checks] == [sink.getvalue()[start : start + 37] for start in starts]
    assert all(len(check) == 8 for _, check in checks)


def test_each_volume_is_a_capsule_that_any_member_opens(capsule: Path, bob: str, folder: Path) -> None:
    before, texts = FIRST, list[bytes]()
    with ndks.open(bob) as unit:
        for number, volume in enumerate(volumes_of(capsule)):
            text = unit.unseal(volume)
            head = Place(text[16:32], number, before).head
            assert text.startswith(head)
            assert len(text) == SMALL_TEXT or number == len(volumes_of(capsule)) - 1
            texts.append(text[len(head) :])
            before = volume[:37]
    assert b"".join(texts) == packed(folder)


@pytest.mark.parametrize("through", ["pty", "service"])
def test_over_a_line_and_a_service(capsule: Path, seen: Seen, bob: str, tmp_path: Path, through: str) -> None:
    with emulated(Path(bob.removeprefix("emulator:"))) as running:
        if through == "pty":
            with ndks.open(running.port) as unit:
                unit.decrypt_folder(capsule, tmp_path / "out")
        else:
            with served(running.port) as service, ndks.open(service.port("gate")) as unit:
                unit.decrypt_folder(capsule, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen


def test_async(folder: Path, seen: Seen, alice: str, bob: str, tmp_path: Path) -> None:
    async def there_and_back() -> None:
        async with ndks.aio.open(alice) as sender, ndks.aio.open(bob) as receiver:
            await sender.encrypt_folder(folder, tmp_path / "x.ndks")
            await receiver.decrypt_folder(tmp_path / "x.ndks", tmp_path / "out")

    asyncio.run(there_and_back())
    assert seen_in(tmp_path / "out") == seen


def refused(capsule: bytes, bob: str, tmp_path: Path, error: type[ndks.NdksError] = FolderError) -> str:
    """Return why bob refuses volumes; nothing appears, and nothing was accepted."""
    with ndks.open(bob) as unit:
        with pytest.raises(error) as raised:
            unit.decrypt_folder(io.BytesIO(capsule), tmp_path / "out")
        assert not (tmp_path / "out").exists()
        with pytest.raises(error):
            unit.decrypt_folder(io.BytesIO(capsule), sink := io.BytesIO())
        assert sink.getvalue() == b""
    return str(raised.value)


def test_volumes_in_another_order(capsule: Path, bob: str, tmp_path: Path) -> None:
    first, second, *others = volumes_of(capsule)
    assert "volume 2 stands where volume 1" in refused(b"".join([second, first, *others]), bob, tmp_path)
    assert "volume 1 stands where volume 2" in refused(b"".join([first, first, *others]), bob, tmp_path)
    assert "volume 3 stands where volume 2" in refused(b"".join([first, *others]), bob, tmp_path)
    assert not [*tmp_path.glob("out*")]


def test_volumes_that_are_missing_at_the_end(capsule: Path, bob: str, seen: Seen, tmp_path: Path) -> None:
    *most, last = volumes_of(capsule)
    assert f"volume {len(most) + 1} is missing" in refused(b"".join(most), bob, tmp_path, FileError)
    with ndks.open(bob) as unit:  # goes on with the rest
        unit.decrypt_folder(io.BytesIO(b"".join([*most, last])), tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen


def test_anything_behind_the_end(capsule: Path, bob: str, tmp_path: Path) -> None:
    refused(capsule.read_bytes() + b"x", bob, tmp_path, AuthenticationError)
    refused(capsule.read_bytes() + volumes_of(capsule)[0], bob, tmp_path, AuthenticationError)


def test_volumes_of_two_folders(capsule: Path, folder: Path, alice: str, bob: str, tmp_path: Path) -> None:
    with ndks.open(alice) as unit:
        unit.encrypt_folder(folder, tmp_path / "other.ndks")
    mixed = [volumes_of(capsule)[0], *volumes_of(tmp_path / "other.ndks")[1:]]
    assert "volume 2 is of another folder" in refused(b"".join(mixed), bob, tmp_path)


def test_volumes_of_two_attempts_at_one_folder(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None
) -> None:
    """Both have the id and the number that belong there; the chain tells them apart."""
    with ndks.open(alice) as unit:
        place, stream, cut = Place(bytes(16), 0, FIRST), packed(folder), SMALL_TEXT - HEAD_SIZE
        one, other = (unit.seal(place.head + stream[:cut], cipher="aes", mode="a") for _ in range(2))
        second = unit.seal(place.after(one[:37]).head + stream[cut : cut + 1000], cipher="aes", mode="a")
    assert "does not belong after" in refused(other + second, bob, tmp_path)


def test_a_volume_of_another_sender(
    make_unit: MakeUnit, folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None
) -> None:
    with ndks.open(alice) as unit, ndks.open(make_unit("carol", 3)) as other:
        place, stream, cut = Place(bytes(16), 0, FIRST), packed(folder), SMALL_TEXT - HEAD_SIZE
        first = unit.seal(place.head + stream[:cut], cipher="aes", mode="a")
        second = other.seal(place.after(first[:37]).head + stream[cut : cut + 1000], cipher="aes", mode="a")
    assert "another sender" in refused(first + second, bob, tmp_path)


def test_altered_volumes_and_other_capsules(
    capsule: Path, alice: str, bob: str, tmp_path: Path, network: ndks.Network
) -> None:
    data = bytearray(capsule.read_bytes())
    for place in (0, 20, 100, capsule_size() - 1, capsule_size() + 20, len(data) - 1):
        altered = bytes(data[:place]) + bytes([data[place] ^ 1]) + bytes(data[place + 1 :])
        refused(altered, bob, tmp_path, AuthenticationError)
        (tmp_path / "out.part.json").unlink(missing_ok=True)
        subprocess.run(["rm", "-rf", tmp_path / "out.part"], check=True)
    member = OtherMember(network, 5)
    refused(member.seal(b"a letter", "aes"), bob, tmp_path)
    refused(member.seal(MARK, "aes"), bob, tmp_path)
    refused(member.seal(b"", "aes"), bob, tmp_path)
    refused(member.seal(Place(bytes(16), 0, FIRST).head, "aes"), bob, tmp_path)
    refused(member.seal(b"vernam", "vernam"), bob, tmp_path, DeviceError)


def test_own_folders_do_not_open(capsule: Path, alice: str, tmp_path: Path) -> None:
    with ndks.open(alice) as unit, pytest.raises(DeviceError) as raised:
        unit.decrypt_folder(capsule, tmp_path / "out")
    assert raised.value.code == "REFLECTED"
    assert not [*tmp_path.glob("out*")]


# The command


def test_command_there_and_back(folder: Path, seen: Seen, alice: str, bob: str, call: Call) -> None:
    (folder / "link").symlink_to("x")
    seen = {name: values for name, values in seen_in(folder).items() if name != "link"}
    done = call("encrypt", folder, "--unit", alice)
    assert done.status == 0
    assert done.stderr == "ndks: symbolic links, left out: 1 (link)\n"
    size = sum(len(content or b"") for _, _, content in seen.values())
    what = f"12 files, 5 folders, {size} bytes"
    assert done.text == f"{folder}.ndks: {what}, volumes: 1, cipher aes, mode a, suite hybrid\n"
    folder.rename(folder.with_name("before"))
    done = call("decrypt", f"{folder}.ndks", "--unit", bob)
    assert (done.status, done.text) == (0, f"{folder}: {what} of lane 1, volumes: 1\n")
    assert seen_in(folder) == seen
    assert_refused(call("decrypt", f"{folder}.ndks", "--unit", bob), "FILE", 1)
    done = call("inspect", f"{folder}.ndks", "--list", "--unit", bob)
    assert done.status == 0
    assert {line.split(maxsplit=2)[2] for line in done.text.splitlines()} == seen.keys()


def test_command_by_pipes(folder: Path, seen: Seen, alice: str, bob: str, tmp_path: Path) -> None:
    sealing = subprocess.run(
        command_line("encrypt", folder, "--unit", alice, "-o", "-"),
        capture_output=True,
        env=environment(),
        timeout=PATIENCE,
        check=True,
    )
    done = run_with_input(sealing.stdout, "decrypt", "--unit", bob, "-o", tmp_path / "out")
    assert done.status == 0, done.stderr
    assert seen_in(tmp_path / "out") == seen
    done = run_with_input(sealing.stdout, "decrypt", "--unit", bob, "--again", "-o", "-")
    with tarfile.open(fileobj=io.BytesIO(done.output)) as tar:
        assert {os.path.normpath(name) for name in tar.getnames()} == seen.keys()
    done = run_with_input(sealing.stdout, "inspect", "--list", "--unit", bob)
    assert len(done.text.splitlines()) == len(seen)


def test_command_without_a_unit(capsule: Path, seen: Seen, network_file: Path, tmp_path: Path, call: Call) -> None:
    done = call("decrypt", capsule, "--network", network_file, "-o", tmp_path / "out")
    assert done.status == 0, done.stderr
    assert seen_in(tmp_path / "out") == seen
    done = call("inspect", capsule, "--list", "--network", network_file, "--json")
    answer = json.loads(done.text)
    assert {entry["path"] for entry in answer["entries"]} == seen.keys()


def test_list_says_nothing_before_all_is_verified(capsule: Path, bob: str, call: Call) -> None:
    data = bytearray(capsule.read_bytes())
    data[-1] ^= 1
    capsule.write_bytes(data)
    done = call("inspect", capsule, "--list", "--unit", bob)
    assert done.status == 5
    assert done.text == ""
    assert_refused(call("inspect", capsule, "--list"), "USAGE", 2)


def test_inspect_without_a_list(capsule: Path, bob: str, call: Call) -> None:
    """Of volumes whose last one ends where one capsule could, and where none could."""
    count, data = len(volumes_of(capsule)), capsule.read_bytes()
    answer = json.loads(call("inspect", capsule, "--unit", bob, "--json").text)
    assert (answer["volumes"], answer["member"]["capsule_state"]) == (count, "new")
    odd = (len(data) - 37) % 1040  # of the bytes in chunks; 1 to 16 would be no more than a tag
    for left, said in ((8, f"as a folder in {count} volumes"), (17, f"or a folder in {count} volumes")):
        capsule.write_bytes(data[: len(data) - (odd - left) % 1040])
        assert said in call("inspect", capsule).text
    capsule.write_bytes(data[: capsule_size() - 24])  # its last chunk would be a part of a tag
    assert_refused(call("inspect", capsule), "AUTH", 5)


def test_a_file_that_begins_as_a_volume_is_not_sealed(alice: str, bob: str, desk: Path, call: Call) -> None:
    (desk / "x").write_bytes(MARK + b"text")
    with ndks.open(alice) as unit:
        before = unit.status().message_counter
    assert_refused(call("encrypt", desk / "x", "--unit", alice), "FILE", 1)
    assert_refused(run_with_input(MARK, "encrypt", "--unit", alice, "-o", "x.ndks"), "FILE", 1)
    assert not (desk / "x.ndks").exists()
    (desk / "in").mkdir()
    (desk / "x").rename(desk / "in" / "x")
    assert call("encrypt", desk / "in", "--unit", alice).status == 0
    assert call("decrypt", desk / "in.ndks", "--unit", bob, "-o", desk / "out").status == 0
    assert (desk / "out" / "x").read_bytes() == MARK + b"text"
    with ndks.open(alice) as unit, ndks.open(bob) as other:
        assert unit.status().message_counter == before + 1
        assert other.unseal(unit.seal(MARK + b"text")) == MARK + b"text"


def test_options_that_are_not_for_folders(folder: Path, alice: str, bob: str, call: Call) -> None:
    assert_refused(call("encrypt", folder, "--unit", alice, "--cipher", "vernam"), "USAGE", 2)
    assert_refused(call("encrypt", folder, "--unit", alice, "--mode", "b"), "USAGE", 2)
    assert call("encrypt", folder, "--unit", alice).status == 0
    folder.rename(folder.with_name("before"))
    assert_refused(call("decrypt", f"{folder}.ndks", "--unit", bob, "--mode", "b"), "USAGE", 2)
    assert call("decrypt", f"{folder}.ndks", "--unit", bob).status == 0


def test_a_file_is_still_a_file(alice: str, bob: str, desk: Path, call: Call) -> None:
    """Of any size and cipher, by file and by pipe; also one that begins nearly as a volume does."""
    for number, data in enumerate((b"", b"x", MARK[:-1], MARK[:-1] + b"x" * 5000)):
        for cipher in ("aes", "vernam"):
            (desk / "x").write_bytes(data)
            assert call("encrypt", desk / "x", "--unit", alice, "--cipher", cipher, "--force").status == 0
            capsule = (desk / "x.ndks").read_bytes()
            assert call("decrypt", desk / "x.ndks", "--unit", bob, "-o", desk / f"{number}{cipher}").status == 0
            assert (desk / f"{number}{cipher}").read_bytes() == data
            assert run_with_input(capsule, "decrypt", "--again", "--unit", bob).output == data


def test_a_target_that_is_begun_by_another_folder(
    capsule: Path, folder: Path, alice: str, bob: str, tmp_path: Path, call: Call
) -> None:
    *most, _ = volumes_of(capsule)
    refused(b"".join(most), bob, tmp_path, FileError)
    assert plan_of(tmp_path / "out").exists()
    with ndks.open(alice) as unit:
        unit.encrypt_folder(folder, tmp_path / "other.ndks")
    done = call("decrypt", tmp_path / "other.ndks", "-o", tmp_path / "out", "--unit", bob)
    assert_refused(done, "FILE", 1)
    assert "is of another folder" in done.stderr
    assert call("decrypt", tmp_path / "other.ndks", "-o", tmp_path / "out", "--unit", bob, "--force").status == 0
