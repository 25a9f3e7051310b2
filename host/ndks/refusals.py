# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of what a unit's error codes mean to a user: what happened, and what helps.

The meanings are those of PROTOCOL.md, whose table is made from this one. Codes and names: ndks_protocol.errors.
"""

from typing import NamedTuple

from ndks_protocol import errors
from ndks_protocol.commands import MAX_SENDERS, WINDOW_SIZE

UPGRADE_HOST = "upgrade this host: git pull in its clone, and pip install . there"
UPGRADE_UNIT = "upgrade the unit: ndks deploy DRIVE"
UPGRADE_OLDER = "upgrade the older one of host and unit"


class Refusal(NamedTuple):
    """What an error code means; `is_authentication`: a capsule, a laptop or a unit is not the one that it should be."""

    meaning: str
    advice: str
    is_authentication: bool = False


REFUSALS = {
    errors.BAD_REQUEST: Refusal("the payload does not fit the layout of the command", UPGRADE_OLDER),
    errors.UNKNOWN_COMMAND: Refusal(
        "the unit has no such command", "deploy the current firmware to the unit: ndks deploy DRIVE"
    ),
    errors.INTERNAL: Refusal(
        "the unit failed in a way it has no code for",
        "unplug the unit, plug it in again and repeat; report it if it stays",
    ),
    errors.BLANK: Refusal(
        "the unit is not provisioned", "make the unit a member of a network first: ndks provision NETWORK"
    ),
    errors.PROVISIONED: Refusal("the unit is provisioned already", "use another, or erase this one: ndks zeroize"),
    errors.STORAGE: Refusal(
        "the unit cannot write its state; nothing was changed",
        "take the development jumper off if it is on; if that was not it, run ndks deploy DRIVE again",
    ),
    errors.STATE_FORMAT: Refusal(
        "the state was written by another version of the firmware; nothing was changed",
        "deploy that firmware again: ndks deploy DRIVE; or, if it was older, erase it: ndks zeroize",
    ),
    errors.TAMPERED: Refusal(
        "the case of the unit was opened, and everything in it erased",
        "look into the case, close it, plug the unit in anew, say ndks zeroize, and provision it again",
    ),
    errors.RANGE: Refusal("a number or text lies outside its range", "check the numbers; ranges are in PROTOCOL.md"),
    errors.EPOCH: Refusal("the unit is in another epoch", "ask the unit for its next index again"),
    errors.TOO_FAR: Refusal(
        "more than 2^20 numbers ahead of what the unit knows, without permission to jump",
        "check the number; if it is right, repeat with --allow-jump",
    ),
    errors.CAPSULE_VERSION: Refusal(
        "the capsule has another version than 1, or it is no capsule",
        "check that this is a capsule; if it is, upgrade ndks and the unit",
        is_authentication=True,
    ),
    errors.HEADER: Refusal(
        "no capsule of this network, or its header was altered or cut off",
        "compare network ids (ndks info, ndks network show); if they are the same, have it sent again",
        is_authentication=True,
    ),
    errors.SUITE: Refusal(
        "the capsule was made with another suite than the network's",
        "ask the sender which network the unit is a member of",
    ),
    errors.KIND: Refusal("the capsule carries a control message, which is not defined yet", UPGRADE_UNIT),
    errors.REFLECTED: Refusal(
        "the capsule was made by this same unit",
        "decrypt it with a unit of the receiver, or with the network file: --network FILE",
    ),
    errors.DUPLICATE: Refusal(
        "a capsule of this sender with this number was accepted before",
        "if you need the message once more, repeat with --again",
    ),
    errors.TOO_OLD: Refusal(
        f"{WINDOW_SIZE} or more numbers behind the latest capsule of its sender",
        "if it came late, or the sender was unplugged often, repeat with --again",
    ),
    errors.SENDERS: Refusal(
        f"the unit keeps account of {MAX_SENDERS} senders, and this is another one",
        "decrypt it with the network file: --network FILE",
    ),
    errors.AUTH: Refusal("the capsule was altered or cut off on its way", "have it sent again", is_authentication=True),
    errors.DIVERGED: Refusal(
        "the capsule is intact, but the sender's generator made another key than this one",
        "bring both units together and compare: ndks key --index 1; provision the one that differs anew",
        is_authentication=True,
    ),
    errors.BINDING: Refusal(
        "the capsule was made at another laptop than the one known of its sender",
        "ask the sender whether the unit was moved to another laptop",
        is_authentication=True,
    ),
    errors.CONFLICT: Refusal(
        "the request does not continue a message of this session, or alters one", "repeat; a new message is begun"
    ),
    errors.LOCKED: Refusal(
        "the unit opens only for the laptop that it is bound to",
        "use it at the laptop that it is bound to; a new unit, or one that was moved: ndks bind",
        is_authentication=True,
    ),
    errors.KEK: Refusal(
        "the key that was brought opens nothing on this unit; nothing was changed",
        "use the laptop that it is bound to; if there is none any more: ndks zeroize, then provision it",
        is_authentication=True,
    ),
    errors.SESSION_ENDED: Refusal(
        "a frame was altered, lost or repeated on the line: the unit has ended the session",
        "repeat the command; if it stays, try another cable or port",
    ),
    errors.DELAYED: Refusal(
        "after wrong attempts the unit waits, for a minute at most",
        "wait for a minute, leave the unit plugged in, and repeat",
        is_authentication=True,
    ),
}
UNKNOWN = Refusal("an error that this version does not know", UPGRADE_HOST)
