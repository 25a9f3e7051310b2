# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of ZEROIZE: erase everything on request. The erasure itself stays loaded: an opened case needs it at once."""

from ndks_protocol import errors, wire

from ..flash.erasure import ON_PURPOSE
from ..flash.records import CURRENT_FORMAT
from ..state import State


def zeroize(state: State, confirmation: bytes, uid: bytes) -> tuple[()]:
    if confirmation != wire.CONFIRMATION or uid != state.board.uid:
        raise errors.UnitError(errors.RANGE)
    if state.log.format > CURRENT_FORMAT:
        raise errors.UnitError(errors.STATE_FORMAT)
    if not state.board.snapshots_writable:
        raise errors.UnitError(errors.STORAGE)
    state.erase(ON_PURPOSE)
    return ()


HANDLERS = {wire.ZEROIZE: zeroize}
