# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Handler of JOINING_KEY: make a key pair to which a membership can be sealed (PROTOCOL.md section 6)."""

from ndks_protocol import wire

from .. import on_demand
from ..flash.record_log import format_body
from ..flash.records import JOINING_KEY, STATE_FORMAT
from ..state import State


def joining_key(state: State) -> tuple[bytes]:
    agreement = on_demand.get("key_agreement")
    private, public = agreement.take(state.board, state.session.ephemeral)
    state.session.ephemeral.prepare()
    log = state.log
    try:
        log.start_without_secrets()  # the key before it is void from here on
        log.append(STATE_FORMAT, format_body(log.erases))
        log.append(JOINING_KEY, private + public)
    except BaseException:
        state.load()  # flash decides which key is valid
        raise
    return (public,)


HANDLERS = {wire.JOINING_KEY: joining_key}
