# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a power cut, or a full log, has left of an entry or a move: it is undone, or settled, at the next UNLOCK."""

from ndks_protocol.flash import SNAPSHOT_FILES

from ..flash.records import GENERATION, PAST
from .epochs import settle
from .layout import AT_SETTLED, NOT_SETTLED, PAST_SIZE, SETTLED

try:
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from .held import Network
except ImportError:  # not on the board, where annotations are not evaluated
    pass


def complete(network: "Network") -> None:
    """Remove past generations that were not left, and what the present one has superseded. UnitError(STORAGE)."""
    body = network.body
    if _was_cut_short(network):
        _undo_entry(network)
    if body:
        settle(network)


def _was_cut_short(network: "Network") -> bool:
    """Return whether the past that was written last has the present generation, which was not left."""
    return len(network.state.log.body(PAST) or b"") != PAST_SIZE * len(network.past())


def _undo_entry(network: "Network") -> None:
    """Return to the previous past, still in nvm or in a snapshot; what was written must disappear from there too."""
    log, body = network.state.log, bytearray(network.body)
    if not body:
        log.drop(PAST)
        for _ in SNAPSHOT_FILES:
            log.make_image()
            log.storage.write_snapshot()
        log.start_nvm(*log.make_image())  # last: until then, the next start finds the past that was written
        return
    while _was_cut_short(network):
        found = log.storage.find_older(PAST, log.found[PAST][:3])
        log.drop(PAST)
        if found:
            log.found[PAST] = found
            log.read((PAST,))
    if body[AT_SETTLED] == SETTLED:
        body[AT_SETTLED] = NOT_SETTLED
        log.append(GENERATION, body)
    log.append(PAST, log.body(PAST) or b"")
