# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Numbers that programs keep, and message keys: on the disk first, from false units never, from a service as well."""

import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from host.running import environment
from host.scripted_transport import Script, answer
from host.scripted_unit import scripted_unit, status_values
from support.emulate_process import PATIENCE
from unit.other_member import open_offline

import ndks
from ndks.laptop.counters import MinimumCounters
from ndks_protocol import commands, framing, service
from ndks_protocol.commands import Command
from ndks_protocol.flash import SNAPSHOT_FILES

FLASH = ("nvm.bin", *SNAPSHOT_FILES)
HEADER = b"\1" + bytes(36)
KEYS = secrets.token_bytes(32), secrets.token_bytes(8), secrets.token_bytes(32)
CHECK = secrets.token_bytes(8)
# Prints a number, and then loses everything that is not on the disk.
KILLED = """
import os, sys, ndks
unit = ndks.open(sys.argv[1])
os.write(1, b"%d" % unit.take_number().number)
os.kill(os.getpid(), 9)
"""


def image_of(port: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in map(Path(port.removeprefix("emulator:")).joinpath, FLASH)}


def test_no_number_comes_twice_from_a_flash_that_was_put_back_or_a_program_that_was_killed(
    alice: str, network: ndks.Network
) -> None:
    with ndks.open(alice) as unit:
        numbers = [unit.take_number().number]
    image = image_of(alice)
    for _ in range(3):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, alice], capture_output=True, env=environment(), timeout=PATIENCE, check=False
        )
        numbers.append(int(killed.stdout))
        for path, content in image.items():
            path.write_bytes(content)
    with ndks.open(alice) as unit:
        numbers.append(unit.take_number().number)
        assert open_offline(network, unit.message_keys().seal(b"letter")) == b"letter"
    assert len(set(numbers)) == 5


def test_the_number_is_on_the_disk_before_it_is_returned(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = MinimumCounters._sync

    def note(counters: MinimumCounters) -> None:
        sync(counters)
        synced.append(counters.of(0).message_counter)

    monkeypatch.setattr(MinimumCounters, "_sync", note)
    with ndks.open(alice) as unit:
        taken = unit.take_number()
        assert synced == [taken.number]
        counters = ndks.BindingStore().minimum_counters(unit.hello)
        assert counters.of(taken.epoch).message_counter == taken.number


def test_a_number_that_cannot_be_noted_is_not_returned(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: MinimumCounters) -> None:
        raise OSError(28, "No space left on device")

    with ndks.open(alice) as unit:
        first = unit.take_number().number
        with monkeypatch.context() as patch:
            patch.setattr(MinimumCounters, "_write", full)
            with pytest.raises(ndks.FileError, match="No space left"):
                unit.take_number()
        assert unit.take_number().number == first + 2


@pytest.mark.parametrize("number", [0, 4, 5, 7 + commands.MAX_JUMP, (1 << 48) - 1])
def test_a_number_that_no_unit_gives(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def script(request: framing.Frame) -> bytes:
        if request.kind == commands.SEAL_KEYS.code:
            return answer(request, HEADER, *KEYS[:2], 0, KEYS[2])
        return answer(request, *status_values(message_counter=number))

    opening = {commands.STATUS.code: status_values(message_counter=5)}
    unit = scripted_unit(script, monkeypatch, tmp_path, opening)
    with pytest.raises(ndks.ProtocolError, match="out of turn"):
        unit.take_number()


@pytest.mark.parametrize("verb", [ndks.Unit.message_keys, ndks.Unit.take_number])
def test_keys_of_another_cipher(verb: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unit = scripted_unit(lambda request: answer(request, HEADER, *KEYS[:2], 0, b""), monkeypatch, tmp_path)
    with pytest.raises(ndks.ProtocolError, match="cipher"):
        verb(unit)


def of_service(answers: dict[Command, tuple[Any, ...]]) -> Script:
    """Answer commands of a service, in the clear, and no others."""
    by_code = {command.code: (command, values) for command, values in answers.items()}

    def script(request: framing.Frame) -> bytes:
        command, values = by_code[request.kind]
        command.request.unpack(request.payload)
        return framing.encode(request.kind | framing.ANSWER, request.request_id, command.answer.pack(*values))

    return script


def test_a_service_gives_them_in_one_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tag_key, _, aes_key = KEYS
    answers = {
        service.TAKE_NUMBER: (7, 2, 99),
        service.MESSAGE_KEYS: (HEADER, *KEYS, CHECK),
        service.OPEN_MESSAGE_KEYS: (3, 50, tag_key, bytes(8), aes_key, CHECK),
    }
    unit = scripted_unit(of_service(answers), monkeypatch, tmp_path, flags=service.HELD)
    assert unit.take_number() == ndks.OwnNumber(7, 2, 99)
    keys = unit.message_keys()
    assert keys == ndks.SealingKeys(HEADER, *KEYS, CHECK)
    opened = unit.open_message_keys(HEADER, again=True)
    assert opened == ndks.OpeningKeys(HEADER, 3, 50, tag_key, b"", aes_key, CHECK)
    assert opened.unseal(keys.seal(b"letter")) == b"letter"


@pytest.mark.parametrize(
    ("verb", "answers"),
    [
        (ndks.Unit.take_number, {service.TAKE_NUMBER: (7, 0, 99)}),
        (ndks.Unit.take_number, {service.TAKE_NUMBER: (7, 2, 0)}),
        (ndks.Unit.message_keys, {service.MESSAGE_KEYS: (bytes(37), *KEYS, CHECK)}),
    ],
)
def test_answers_that_no_service_gives(
    verb: Any, answers: dict[Command, tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = scripted_unit(of_service(answers), monkeypatch, tmp_path, flags=service.HELD)
    with pytest.raises(ndks.ProtocolError, match="malformed"):
        verb(unit)
