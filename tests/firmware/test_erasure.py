# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Erasure on request and after tampering, at any time and with any fault."""

import json
import struct
from collections.abc import Callable
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import flash_reference
import pytest
from hosts.network import membership, named
from hosts.sessions import SHARE
from support.power_cuts import PowerCuts
from support.reference import flash_images, load_vectors

from firmware.life import SENDERS, Life, View, member, remains, secrets_of
from firmware.peer import RANDOM, new_token, wire
from ndks.crypto import CRYPTO
from ndks_emulator import MemoryFlash
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash import records

OLD_FORMAT = json.loads((Path(__file__).parent / "images/format_1.json").read_text())
BLANK, TAMPERED = commands.STATE_BLANK, commands.STATE_TAMPERED
CAUSES = pytest.mark.parametrize("tampered", [False, True], ids=["on purpose", "by tampering"])


def zeroize(life: Life) -> None:
    life.start()
    life.ask(commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid)


def tamper(life: Life) -> None:
    """Open the case and close it at once."""
    life.start()
    life.unit.case.open()
    life.unit.case.close()
    life.firmware.poll()


def erased(tampered: bool, erases: int) -> list[bytes]:
    """Return the content of nvm and files after an erasure."""
    left = flash_reference.record(flash_reference.STATE_FORMAT, 1, flash_reference.state_format(erases))
    if tampered:
        left += flash_reference.record(flash_reference.TAMPERED, 2, b"\1")
    nvm = left.ljust(NVM_SIZE, b"\xff")
    return [nvm, flash_reference.snapshot(nvm), flash_reference.snapshot(nvm)]


def is_marked(flash: MemoryFlash, tampered: bool) -> bool:
    return flash.nvm.content[-32:] == flash_reference.marker(int(tampered))


def has_begun(flash: MemoryFlash, tampered: bool) -> bool:
    """Return whether at least 4 bytes of the tag of the marker, which may be torn, are in flash."""
    found, marker = flash.nvm.content[-32:], flash_reference.marker(int(tampered))
    return sum(found[i] == marker[i] for i in range(8, 24)) >= 4


def code(life: Life, command: commands.Command, *values: Any) -> int:
    """Return the error code of the answer, or 0."""
    try:
        life.ask(command, *values)
    except errors.UnitError as error:
        return error.code
    return 0


def check_erased(life: Life, tampered: bool, secrets: set[bytes]) -> None:
    """Check that nothing remains after the next start or later ones, and that the unit can be provisioned again."""
    for _ in range(2):
        life.start()
        assert life.look() == View(TAMPERED if tampered else BLANK)
        assert not remains(life.flash, secrets)
        assert not is_marked(life.flash, True)
        assert not is_marked(life.flash, False)
    if tampered:
        assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED
        zeroize(life)
        assert life.look() == View(BLANK)
    life.start()
    life.host.provision()
    life.given.clear()
    assert life.look().next_index == 1


def all_secrets(life: Life) -> set[bytes]:
    erases = life.firmware.state.log.erases if life.unit.is_running else 0
    harmless = {piece for image in erased(True, erases + 1) for piece in _windows(image)}
    return secrets_of(life.flash) - harmless


def _windows(image: bytes) -> set[bytes]:
    return {image[start : start + 8] for start in range(len(image) - 7)}


# Times at which the case opens


MOMENTS: dict[str, Callable[[Life], object]] = {
    "locked": Life.start,
    "after a wrong proof": lambda life: (life.start(), _prove_wrongly(life)),
    "a session is open": Life.open,
    "a message is being sealed": lambda life: (life.open(), life.seal()),
    "nobody is there": lambda life: (life.open(), setattr(life.unit.line, "connected", False)),
}


def _prove_wrongly(life: Life) -> None:
    life.ask(commands.HELLO)
    life.ask(commands.OPEN_SESSION, *SHARE)
    assert code(life, commands.PROVE, bytes(16)) == errors.LOCKED


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("compactions", [0, 2])
def test_opening_the_case_erases_everything(moment: str, compactions: int) -> None:
    life = member(compactions)
    secrets = all_secrets(life)
    MOMENTS[moment](life)
    life.unit.case.open()
    life.unit.case.close()
    life.firmware.poll()
    assert not remains(life.flash, secrets)
    assert life.flash.images == erased(True, compactions + 1)
    assert life.firmware.state.lifecycle == TAMPERED
    life.unit.line.connected = True
    check_erased(life, True, secrets)


def test_case_that_opened_while_the_power_was_off() -> None:
    life = member()
    secrets = all_secrets(life)
    life.unit.case.open()
    life.start()
    assert life.firmware.state.lifecycle == TAMPERED
    assert not remains(life.flash, secrets)
    life.unit.case.close()
    check_erased(life, True, secrets)


def test_case_that_opens_while_a_unit_is_blank() -> None:
    life = Life()
    life.start()
    life.unit.case.open()
    assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED
    assert life.flash.images == [b"\xff" * NVM_SIZE] * 3
    life.unit.case.close()
    assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED, "nobody knows what was done meanwhile"
    life.start()
    life.host.provision()


def test_a_flood_of_bytes_does_not_hold_up_the_erasure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes never form a complete frame."""
    life = member()
    life.open()
    bound: list[bool] = []

    def receive() -> int:
        bound.append(life.firmware.state.binding is not None)
        life.unit.case.open()
        life.unit.board.received = b"\1" * 64 if len(bound) < 100 else b""
        return len(life.unit.board.received)

    life.unit.clock = count().__next__  # a unit looks at the switch once a millisecond
    monkeypatch.setattr(life.unit.board, "receive", receive)
    for _ in range(2):
        life.firmware.poll()
    assert True not in bound[10:]
    assert life.firmware.state.lifecycle == TAMPERED


REQUESTS: dict[str, tuple[commands.Command, Callable[[], tuple[Any, ...]]]] = {
    "STATUS": (commands.STATUS, tuple),
    "NEXT_INDEX": (commands.NEXT_INDEX, tuple),
    "KEY_CHUNK": (commands.KEY_CHUNK, lambda: (0, 5, 0, 32)),
    "ACKNOWLEDGE": (commands.ACKNOWLEDGE, lambda: (0, 50, 0)),
    "SEAL_BEGIN": (commands.SEAL_BEGIN, lambda: (new_token(), commands.AES, 0, RANDOM)),
    "SEAL_KEYS": (commands.SEAL_KEYS, lambda: (new_token(), commands.AES, 0, RANDOM)),
    "OPEN_KEYS": (commands.OPEN_KEYS, lambda: (wire(SENDERS[0], 50), 0)),
    "ACCEPT": (commands.ACCEPT, lambda: (wire(SENDERS[0], 50), 0)),
    "TRUST": (commands.TRUST, lambda: (SENDERS[0], bytes(16))),
    "BIND": (commands.BIND, lambda: (bytes(range(100, 132)),)),
    "CLOSE": (commands.CLOSE, lambda: (1,)),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_during_which_the_case_opens_is_not_answered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    life = member()
    secrets = all_secrets(life)
    life.open()
    command, values = REQUESTS[name]
    dispatch = life.firmware._dispatch

    def open_case(*arguments: Any) -> int:
        size = dispatch(*arguments)
        life.unit.case.open()
        life.unit.case.close()
        return size

    monkeypatch.setattr(life.firmware, "_dispatch", open_case)
    assert code(life, command, *values()) == errors.TAMPERED
    assert life.firmware.state.lifecycle == TAMPERED
    assert not remains(life.flash, secrets)
    check_erased(life, True, secrets)


@pytest.mark.parametrize("command", ["ACKNOWLEDGE", "BIND", "ZEROIZE"])
def test_case_opens_between_any_two_writes_of_a_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = member(1, 112)
    requests = {
        "ACKNOWLEDGE": (commands.ACKNOWLEDGE, 0, 50, 0),
        "BIND": (commands.BIND, bytes(range(100, 132))),
        "ZEROIZE": (commands.ZEROIZE, commands.CONFIRMATION, full.unit.board.uid),
    }
    for write in range(1, 5):
        life = full.clone()
        secrets = all_secrets(life)
        life.open()
        writes = 0

        def count(*arguments: Any, method: Callable[..., None], life: Life = life, last: int = write) -> None:
            nonlocal writes
            writes += 1
            if writes == last:
                life.unit.case.open()
                life.unit.case.close()
            method(*arguments)

        for name in ("nvm_write", "snapshot_write"):
            method = getattr(life.unit.board, name)
            monkeypatch.setattr(life.unit.board, name, lambda *a, method=method: count(*a, method=method))
        opened = code(life, *requests[command])
        monkeypatch.undo()
        if writes < write:
            break
        assert opened == (0 if command == "ZEROIZE" else errors.TAMPERED), "ZEROIZE has done what it should"
        assert life.firmware.state.lifecycle == TAMPERED, "as long as it runs"
        check_erased(life, tampered=command != "ZEROIZE", secrets=secrets)


# Commands that a unit answers after tampering


def test_tampered_until_zeroize() -> None:
    life = member()
    tamper(life)
    life.start()
    for _ in range(2):
        for command, values in REQUESTS.values():
            expected = 0 if command in (commands.STATUS, commands.CLOSE) else errors.TAMPERED
            assert code(life, command, *values()) == expected
        assert code(life, commands.PROVISION, *membership()) == errors.TAMPERED
        assert code(life, commands.OPEN_SESSION, *SHARE) == errors.TAMPERED
        for command in (commands.HELLO, commands.STATUS):
            assert named(command.answer, life.ask(command))["state"] == TAMPERED
        life.start()
    zeroize(life)
    assert life.flash.images == erased(False, 2)
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["erases"] == 2
    life.host.provision()
    life.given.clear()
    life.live()


def test_zeroize_needs_no_session_and_goes_on_with_one() -> None:
    for open_first in (False, True):
        life = member(2)
        secrets = all_secrets(life)
        if open_first:
            life.open()
            life.seal()
        else:
            life.start()
        assert life.ask(commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == ()
        assert life.firmware.state.lifecycle == BLANK
        assert life.flash.images == erased(False, 3)
        check_erased(life, False, secrets)


@pytest.mark.parametrize(
    ("confirmation", "uid"),
    [
        (b"zeroize!", None),
        (bytes(8), None),
        (commands.CONFIRMATION, bytes(8)),
        (commands.CONFIRMATION, b"unit\1\2\3\5"),
    ],
)
def test_zeroize_wants_its_confirmation_and_this_unit(confirmation: bytes, uid: bytes | None) -> None:
    life = member()
    life.start()
    before = life.flash.images
    assert code(life, commands.ZEROIZE, confirmation, uid or life.unit.board.uid) == errors.RANGE
    assert life.flash.images == before
    assert life.look().next_index == 11


def test_zeroize_leaves_a_newer_state_alone() -> None:
    life = member()
    body = flash_reference.state_format(0).replace(b"\4", b"\5", 1)
    record = records.RecordKeys(CRYPTO).encode(records.STATE_FORMAT, body, 10_000)
    life.flash.nvm.write(life.clone().firmware.state.log.used, bytes(record))
    before = life.flash.images
    life.start()
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["flags"] == commands.NEWER_STATE
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STATE_FORMAT
    assert life.flash.images == before


def test_zeroize_of_an_older_state() -> None:
    life = Life()
    life.unit.board.nvm_write(0, bytes.fromhex(OLD_FORMAT["nvm"]))
    life.unit.board.snapshot_write(0, bytes.fromhex(OLD_FORMAT["nvm"]).ljust(NVM_SIZE, b"\xff"))
    secrets = all_secrets(life)
    life.start()
    assert named(commands.STATUS.answer, life.ask(commands.STATUS))["flags"] == commands.NOT_SEALED
    zeroize(life)
    assert life.flash.images == erased(False, 1)
    check_erased(life, False, secrets)


def test_opening_the_case_erases_an_older_state_too() -> None:
    life = Life()
    life.unit.board.nvm_write(0, bytes.fromhex(OLD_FORMAT["nvm"]))
    secrets = all_secrets(life)
    tamper(life)
    check_erased(life, True, secrets)


def test_zeroize_on_a_drive_that_cannot_be_written_changes_nothing() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    before = life.flash.images
    life.start()
    before[0] = bytes(life.unit.flash.nvm.content)  # except for the counter of starts
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STORAGE
    assert life.flash.images == before
    assert life.look().next_index == 11


# Power cuts during an erasure


def check_cut(before: Life, old: View, cut: Life, tampered: bool, secrets: set[bytes]) -> None:
    """Check that the unit is unchanged before the marker is sufficient, and that later starts complete the erasure."""
    begun = has_begun(cut.flash, tampered) or cut.flash.images[1:] != before.flash.images[1:]
    if begun or cut.ended:
        check_erased(cut, tampered, secrets)
    else:
        assert cut.look() == old


@CAUSES
@pytest.mark.parametrize("compactions", [0, 2])
def test_a_cut_at_every_step(tampered: bool, compactions: int, power_cuts: PowerCuts) -> None:
    life = member(compactions)
    secrets, old = all_secrets(life), life.look()
    cuts = list(power_cuts.cuts(life, tamper if tampered else zeroize, at_most=150))
    for cut in cuts:
        check_cut(life, old, cut, tampered, secrets)
    assert cuts[-1].ended


@CAUSES
def test_a_second_cut_while_the_erasure_is_finished(tampered: bool, power_cuts: PowerCuts) -> None:
    """The case is closed again and no host connects; the start alone completes the erasure."""
    life = member(1, fine=False)
    secrets = all_secrets(life)
    for cut in power_cuts.cuts(life, tamper if tampered else zeroize, at_most=20):
        if not is_marked(cut.flash, tampered):
            continue
        for twice in power_cuts.cuts(cut, Life.start, at_most=20, first=cut.steps_of(Life.start) // 2):
            check_erased(twice, tampered, secrets)


@CAUSES
def test_a_torn_marker_and_another_cut(tampered: bool, power_cuts: PowerCuts) -> None:
    """The first cut tears the marker; the repeated erasure completes."""
    erase = tamper if tampered else zeroize
    life = member(1)
    secrets, old = all_secrets(life), life.look()
    cuts = power_cuts.cuts(life, erase, at_most=1000)
    once = next(cut for cut in cuts if cut.flash.nvm.content[-32:].strip(b"\xff"))
    assert not is_marked(once.flash, tampered)
    assert once.look() == old
    once.unit.power.fine = False
    for twice in power_cuts.cuts(once, erase, at_most=100):
        check_cut(once, old, twice, tampered, secrets)


@CAUSES
def test_a_torn_marker_of_the_other_cause(tampered: bool, power_cuts: PowerCuts) -> None:
    """What counts is why the erasure was begun that completes; the tags of the two causes share no byte."""
    erase, other = (tamper, zeroize) if tampered else (zeroize, tamper)
    life = member(1)
    secrets, old = all_secrets(life), life.look()
    cuts = takewhile(lambda cut: not has_begun(cut.flash, not tampered), power_cuts.cuts(life, other, at_most=1000))
    *_, torn = cuts
    assert torn.flash.nvm.content[-32:].strip(b"\xff")
    torn.unit.power.fine = False
    for cut in power_cuts.cuts(torn, erase, at_most=50):
        check_cut(torn, old, cut, tampered, secrets)


@CAUSES
def test_after_the_next_start_nothing_else_is_in_flash(tampered: bool, power_cuts: PowerCuts) -> None:
    """Only the number of erases may be one higher."""
    life = member(1, fine=False)
    why = {records.TAMPERED: b"\1"} if tampered else {}
    bodies = [{records.STATE_FORMAT: flash_reference.state_format(erases), **why} for erases in (2, 3)]
    for cut in power_cuts.cuts(life, tamper if tampered else zeroize, at_most=1000):
        if has_begun(cut.flash, tampered) or cut.flash.images[1:] != life.flash.images[1:]:
            cut.start()
            nvm, *snapshots = cut.flash.images
            assert nvm[-32:] == b"\xff" * 32
            assert all(image == flash_reference.snapshot(image) for image in snapshots)
            assert all(bodies_in(image) in bodies for image in (nvm, *snapshots))


def bodies_in(image: bytes) -> dict[int, bytes]:
    """Return the bodies of an image, which must have at most four plain records, intact or torn."""
    found: dict[int, bytes] = {}
    assert image[4 * 32 : -32].strip(b"\xff") == b""
    for offset in range(0, 4 * 32, 16):
        kind, size, sequence = struct.unpack_from(">BHI", image, offset)
        body = image[offset + 24 :][:size]
        if kind >= 0xF0 and image[offset:].startswith(flash_reference.record(kind, sequence, body)):
            found[kind] = body
    return found


@CAUSES
def test_published_erasures_are_finished(tampered: bool) -> None:
    vector = load_vectors("flash")["interrupted_erasures"]["by_tampering" if tampered else "on_purpose"]
    life = Life()
    life.flash.images = flash_images(vector["before"])
    life.start()
    assert life.flash.images == flash_images(vector["after"])


# Files that are not writable


def test_files_that_cannot_be_written_when_the_case_opens() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    assert life.firmware.state.lifecycle == TAMPERED
    assert code(life, commands.OPEN_SESSION, *SHARE) == errors.TAMPERED


def test_unit_starts_while_its_files_cannot_be_written() -> None:
    life = member(1)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    erases = life.unit.flash.nvm.erases
    for _ in range(3):
        life.start()
        assert is_marked(life.flash, True)
        assert life.firmware.state.lifecycle == TAMPERED
        for _ in range(3):
            life.firmware.poll()
    assert life.unit.flash.nvm.erases <= erases + 1, "nvm is not worn out meanwhile"


def test_next_start_with_files_that_can_be_written_finishes() -> None:
    life = member(1)
    secrets = all_secrets(life)
    life.unit.flash.drive_is_writable = False
    tamper(life)
    assert is_marked(life.flash, True)
    life.unit.flash.drive_is_writable = True
    check_erased(life, True, secrets)


def test_cut_while_the_files_cannot_be_written(power_cuts: PowerCuts) -> None:
    """The older state in a snapshot must not return: the unit would issue indices twice."""
    life = member(1, fine=False)
    life.start()
    life.acknowledge(11)
    secrets, old = all_secrets(life), life.look()
    life.unit.flash.drive_is_writable = False
    for cut in power_cuts.cuts(life, tamper, at_most=1000):
        assert cut.unit.flash.nvm.erases == life.unit.flash.nvm.erases, "with it, the marker would go"
        cut.unit.flash.drive_is_writable = True
        if has_begun(cut.flash, True):
            check_erased(cut, True, secrets)
        else:
            assert cut.look() == old


@pytest.mark.parametrize("failing", [0, 1])
def test_zeroize_whose_files_fail_is_finished_by_the_next_start(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    life = member(2)
    life.open()
    life.acknowledge(11)
    secrets = all_secrets(life)
    write = life.unit.board.snapshot_write

    def fail(slot: int, data: bytes) -> None:
        if slot == failing:
            raise OSError("a sector is damaged")
        write(slot, data)

    monkeypatch.setattr(life.unit.board, "snapshot_write", fail)
    assert code(life, commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid) == errors.STORAGE
    assert is_marked(life.flash, False)
    for command, values in (*REQUESTS.values(), (commands.OPEN_SESSION, lambda: SHARE)):
        assert code(life, command, *values()) == (0 if command.needs == commands.NOTHING else errors.STORAGE)
    monkeypatch.undo()
    check_erased(life, False, secrets)


def test_worn_out_nvm_does_not_hold_up_a_unit_whose_case_opens() -> None:
    """Such nvm can neither be marked nor erased, but the files can be erased."""
    life = member(1)
    life.start()
    life.unit.flash.nvm.worn_out = True
    life.unit.case.open()
    for _ in range(3):
        life.firmware.poll()
        assert ask_code(life) == errors.TAMPERED
    assert life.flash.images[1:] == erased(True, 2)[1:]


def ask_code(life: Life) -> int:
    try:
        life.ask(commands.STATUS)
    except errors.UnitError as error:
        return error.code
    return 0
