# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Both causes of an erasure, what it leaves in flash, and requests that it must not answer."""

from collections.abc import Callable
from typing import Any

import flash_reference
import pytest
from hosts.network import membership

from firmware.life import SENDERS, Life, View, remains, secrets_of
from firmware.peer import RANDOM, new_token, wire
from ndks_emulator import MemoryFlash
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE

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
