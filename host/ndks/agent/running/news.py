# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an agent logs about its network."""

import logging

from ..events import Entered, Event, LeftOut, Master, Refused, Room

_log = logging.getLogger(__name__)


def tell(event: Event) -> None:
    """Log an event of the network; messages are the programs' business."""
    if isinstance(event, Entered):
        _log.info("entered generation %d", event.g)
    elif isinstance(event, Master):
        _log.info("lane %d leads", event.lane) if event.lane else _log.info("nobody leads")
    elif isinstance(event, LeftOut):
        _log.warning("generation %d has no notice for this unit: it may be revoked", event.g)
    elif isinstance(event, Room):
        if event.is_there:
            _log.warning("there is room again: messages that came meanwhile are asked for")
        else:
            _log.warning("there is no room for more messages until a program takes some: ndks receive")
    elif isinstance(event, Refused):
        _log.warning("the unit refuses the notice of generation %d: error %04X", event.g, event.error)
