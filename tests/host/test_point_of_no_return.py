# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A file in its final place counts as written, whatever fails later: no key or message is used twice."""

import errno
import io
import logging
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from host.asking import next_index
from host.conftest import Call
from host.refusing import DIRECTORIES_CANNOT_BE_SYNCED, refuse, refuse_fsync, refuse_fsync_of_directories
from host.running import Finished, command_line, environment
from support.emulate_process import PATIENCE

import ndks
from ndks.driver import streams as download
from ndks.on_disk import replace_durably
from ndks.whole_file import whole_file, write_private

LETTER = b"meet me at the old bridge"
POWER_CUT = "may not survive a power cut"
NOBODY = 65534
INTO_A_DROP_BOX = f"""
import os, sys
from pathlib import Path
from ndks.whole_file import write_private
if os.geteuid() == 0:
    os.seteuid({NOBODY})  # root may read any directory; what is needed is imported by now
write_private(Path(sys.argv[1]), b"new")
"""


def assert_warned(finished: Finished, warned: bool) -> None:
    assert finished.status == 0, finished.stderr
    assert (POWER_CUT in finished.stderr) == warned
    assert all(line.startswith("ndks: WARNING: ") for line in finished.stderr.splitlines() if POWER_CUT in line)


@pytest.mark.parametrize("number", [*DIRECTORIES_CANNOT_BE_SYNCED, errno.EACCES])
def test_directory_that_cannot_be_synced(
    number: int, desk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_fsync_of_directories(monkeypatch, number)
    write_private(desk / "out", b"new")
    (desk / "other").write_bytes(b"newer")
    replace_durably(desk / "other", desk / "out")
    assert (desk / "out").read_bytes() == b"newer"
    assert caplog.records == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("overwrite", [True, False])
def test_directory_that_is_not_synced_for_another_reason(
    number: int, overwrite: bool, desk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_fsync_of_directories(monkeypatch, number)
    write_private(desk / "out", b"new", overwrite=overwrite)
    assert (desk / "out").read_bytes() == b"new"
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.WARNING, "ndks.on_disk")
    message = record.getMessage()
    assert all(part in message for part in (str(desk / "out"), "is complete", POWER_CUT, os.strerror(number)))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_that_cannot_be_synced(number: int, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_fsync(monkeypatch, number, lambda _: True)
    write_private(desk / "out", b"new")
    assert (desk / "out").read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_file_that_is_not_on_the_disk_gets_no_name(number: int, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_fsync(monkeypatch, number, stat.S_ISREG)
    with pytest.raises(OSError, match=os.strerror(number)) as refused:
        write_private(desk / "out", b"new")
    assert refused.value.filename == str(desk / "out")  # not a temporary file
    assert list(desk.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")
def test_drop_box(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A directory may be writable but not readable."""
    box = Path(tempfile.mkdtemp(prefix="ndks-test-", dir="/tmp"))
    box.chmod(0o333)
    try:
        done = subprocess.run(
            [sys.executable, "-c", INTO_A_DROP_BOX, str(box / "out")],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert (box / "out").read_bytes() == b"new"
    finally:
        box.chmod(0o700)
        (box / "out").unlink(missing_ok=True)
        box.rmdir()


class FailsToClose(io.BufferedRandom):
    def close(self) -> None:
        if not self.closed:
            super().close()
            raise refuse(errno.EIO)


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has no files without a name")
def test_a_named_file_that_fails_to_close(
    desk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ndks.whole_file.os.fdopen", lambda descriptor, mode: FailsToClose(io.FileIO(descriptor, "r+")))
    with whole_file(desk / "out", private=True) as file:
        file.write(b"new")
    assert (desk / "out").read_bytes() == b"new"
    assert [POWER_CUT in record.getMessage() for record in caplog.records] == [True]


def test_a_temporary_name_that_cannot_be_removed(
    desk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    unlink = Path.unlink

    def refuse_files_with_content(path: Path, missing_ok: bool = False) -> None:
        if path.stat().st_size:
            raise refuse(errno.EIO, str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_files_with_content)
    write_private(desk / "out", b"new", overwrite=False)
    assert (desk / "out").read_bytes() == b"new"
    assert ["could not be removed" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize(("number", "warned"), [(errno.EINVAL, False), (errno.EIO, True)])
@pytest.mark.parametrize(
    "command", [["key"], ["key", "--json"], ["stream", "--bits", "80"], ["stream", "--bits", "100000"]]
)
def test_a_key_is_given_once(
    command: list[str],
    number: int,
    warned: bool,
    alice: str,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        refuse_fsync_of_directories(patch, number)
        assert_warned(call(*command, "--unit", alice, "-o", tmp_path / "first"), warned)
        assert_warned(call(*command, "--unit", alice, "-o", tmp_path / "second"), warned)
    assert (tmp_path / "first").read_bytes() != (tmp_path / "second").read_bytes()
    assert next_index(alice) == 3
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


@pytest.mark.parametrize(("number", "warned"), [(errno.EOPNOTSUPP, False), (errno.EIO, True)])
@pytest.mark.parametrize("mode", ["a", "b"])
def test_a_message_is_opened_once(
    mode: str,
    number: int,
    warned: bool,
    alice: str,
    bob: str,
    call: Call,
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (desk / "letter").write_bytes(LETTER)
    capsule = desk / "letter.ndks"
    with monkeypatch.context() as patch:
        refuse_fsync_of_directories(patch, number)
        assert_warned(call("encrypt", desk / "letter", "--unit", alice, "--mode", mode), warned)
        opened = call("decrypt", capsule, "--unit", bob, "-o", desk / "opened", "--mode", mode)
        assert_warned(opened, warned)
    assert (desk / "opened").read_bytes() == LETTER
    assert call("decrypt", capsule, "--unit", bob, "-o", desk / "again").error_code == "DUPLICATE"


@pytest.mark.parametrize(("number", "warned"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_network_bindings_and_backup(
    number: int, warned: bool, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NDKS_HOME", str(desk / "home"))
    port = f"emulator:{desk / 'unit'}"
    with monkeypatch.context() as patch:
        refuse_fsync_of_directories(patch, number)
        assert_warned(call("network", "new", "office", "-o", desk / "office.ndksnet"), warned)
        assert_warned(call("provision", desk / "office.ndksnet", "--bind", "--unit", port), warned)
        assert_warned(call("bind", "--backup", desk / "copy"), warned)
        assert_warned(call("generate", "--p1", "0.52", "--p2", "25", "-o", desk / "bits"), warned)
    network = ndks.Network.load(desk / "office.ndksnet")
    assert (network.next_lane, len(network.members)) == (2, 1)
    assert next_index(port) == 1


def test_a_plan_that_stays_is_no_failure(
    alice: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.key"
    unlink = Path.unlink

    def keep_plans(path: Path, missing_ok: bool = False) -> None:
        if path.exists() and path == download.plan_of(target):
            raise refuse(errno.EIO, str(path))
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", keep_plans)
        finished = call("stream", "--bits", "80", "--unit", alice, "-o", target)
    assert finished.status == 0
    assert f"ndks: WARNING: {target} is complete" in finished.stderr
    assert next_index(alice) == 2


def test_a_former_binding_that_is_not_forgotten_is_no_failure(
    network: ndks.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = [("machine", "X")]
    store = ndks.BindingStore(tmp_path / "home", look=lambda with_network: tuple(looks))
    save = ndks.BindingStore._save

    def save_two(store: ndks.BindingStore, unit: Any) -> None:
        if len(unit.bindings) == 1:
            raise refuse(errno.ENOSPC)
        save(store, unit)

    with ndks.open(f"emulator:{tmp_path / 'unit'}", create=True, bindings=store) as unit:
        unit.bind(unit.provision(network, 1))
        looks[0] = ("machine", "Y")
        monkeypatch.setattr(ndks.BindingStore, "_save", save_two)
        assert unit.bind().characteristics == (("machine", "Y"),)
        assert len(store.unit(unit.hello.serial_number).bindings) == 2
    assert ["old binding" in record.getMessage() for record in caplog.records] == [True]


def test_a_record_of_an_erased_unit_that_stays_is_no_failure(
    alice: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def keep_records(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == "units":
            raise refuse(errno.EACCES, str(path))
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", keep_records)
        finished = call("zeroize", "--yes", "--unit", alice)
    assert finished.status == 0
    assert "is erased; only" in finished.stderr


def test_a_key_in_its_file_is_used_up_though_nobody_hears_of_it(alice: str, tmp_path: Path) -> None:
    to_nobody = ["sh", "-c", '"$@" >&-', "sh", *command_line("key", "--unit", alice, "-o", tmp_path / "key")]
    subprocess.run(to_nobody, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    assert (tmp_path / "key").stat().st_size == 65
    assert next_index(alice) == 2
