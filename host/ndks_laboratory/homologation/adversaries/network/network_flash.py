# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack with a recording of the network and a copy of a member's flash, without its laptop."""

from collections.abc import Iterable, Iterator, Sequence

from ndks.crypto import CRYPTO
from ndks_laboratory.homologation.adversaries.active.session_keys import possible_keys
from ndks_laboratory.homologation.adversaries.active.trial import Trial
from ndks_protocol.capsule import HeaderKeys, header_keys
from ndks_protocol.errors import UnitError
from ndks_protocol.wire import WIRE_HEADER_SIZE

from .network_adversary import NetworkAdversary

_TEXT = b"while the flash is copied"
_KEYS_SIZE = 64  # both header keys, side by side


class NetworkFlash(NetworkAdversary):
    """Tries everything in the copy that could be a key on messages recorded in the same generation."""

    withstood = "none of {tries} possible keys in flash opened the header of a recorded message"

    def act(self, trial: Trial) -> str | None:
        network = trial.network
        recorded = [packet for packet in network.talk(_TEXT) if len(packet) > WIRE_HEADER_SIZE]
        dumps, marks = network.dumps(), network.marks()
        for dump in dumps:
            mark = marks.get(dump.owner, b"")
            for keys in _possible(dump.content, mark) if mark else ():
                trial.tries += 1
                if _opens(keys, recorded):
                    trial.breaks.append(f"flash of {dump.owner}'s unit: its keys open the header of a recorded message")
                    break
        marked = {dump.owner for dump in dumps if any(marks.get(dump.owner, b"\0") in each for each in dump.content)}
        missing = [owner for owner in marks if owner not in marked]
        return f"no current copy of the flash of {' and of '.join(missing)}" if missing or not marks else None


def _possible(contents: Sequence[bytes], mark: bytes) -> Iterator[bytes]:
    """Yield pairs of header keys: those that may lie in flash, and those of a secret that may lie there."""
    yield from possible_keys(contents, mark, _KEYS_SIZE)
    yield from (header_keys(CRYPTO, secret) for secret in possible_keys(contents, mark))


def _opens(keys: bytes, recorded: Iterable[bytes]) -> bool:
    for packet in recorded:
        try:
            HeaderKeys(CRYPTO, keys).unmask(packet[:WIRE_HEADER_SIZE])
        except UnitError:
            continue
        return True
    return False
