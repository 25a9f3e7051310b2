# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages and advice for the error codes of a unit, or of a service in its place.

The table in PROTOCOL.md is generated from this one. Codes and names are in ndks_protocol: errors, service.
"""

from typing import NamedTuple

from ndks_protocol import errors, service
from ndks_protocol.commands import MAX_SENDERS, WINDOW_SIZE

UPGRADE_HOST = "upgrade this host: git pull in its clone, and pip install . there"
UPGRADE_UNIT = "upgrade the unit: ndks deploy DRIVE"
UPGRADE_OLDER = "upgrade the older one of host and unit"


class RefusalRow(NamedTuple):
    """Meaning of an error code and advice for the user; `is_authentication` raises AuthenticationError."""

    meaning: str
    advice: str
    is_authentication: bool = False


REFUSALS = {
    errors.BAD_REQUEST: RefusalRow("the payload does not fit the layout of the command", UPGRADE_OLDER),
    errors.UNKNOWN_COMMAND: RefusalRow("the unit has no such command", UPGRADE_UNIT),
    errors.INTERNAL: RefusalRow(
        "the unit failed with an unexpected error",
        "unplug the unit, plug it in again and repeat; report it if it stays",
    ),
    errors.BLANK: RefusalRow(
        "the unit is not provisioned", "make the unit a member of a network first: ndks provision NETWORK"
    ),
    errors.PROVISIONED: RefusalRow("the unit is provisioned already", "use another, or erase this one: ndks zeroize"),
    errors.STORAGE: RefusalRow(
        "the unit cannot write its state, or its drive is damaged",
        "take the development jumper off if it is on; if that was not it, run ndks deploy DRIVE again",
    ),
    errors.STATE_FORMAT: RefusalRow(
        "the state was written by another version of the firmware; nothing was changed",
        "deploy that firmware again: ndks deploy DRIVE; or, if it was older, erase it: ndks zeroize",
    ),
    errors.TAMPERED: RefusalRow(
        "the case of the unit was opened, and the unit erased itself",
        "look into the case, close it, plug the unit in again, run ndks zeroize, and provision it again",
    ),
    errors.NO_JOINING_KEY: RefusalRow(
        "the unit has no joining key: it was erased, or used by an earlier package",
        "make a new request, ndks join request, and have a new package made for it",
    ),
    errors.PACKAGE: RefusalRow(
        "the package was made for another unit, for a key that is void, or it was cut short or altered",
        "have a new package made for the unit's latest request",
        is_authentication=True,
    ),
    errors.RANGE: RefusalRow("a number or text is outside its range", "check the numbers; ranges are in PROTOCOL.md"),
    errors.EPOCH: RefusalRow("the unit is in another epoch", "ask the unit for its next index again"),
    errors.TOO_FAR: RefusalRow(
        "the number is more than 2^20 ahead of the unit's counter",
        "check the number; if it is right, repeat with --allow-jump",
    ),
    errors.CAPSULE_VERSION: RefusalRow(
        "this is not a capsule of version 1",
        f"check that this is a capsule; if it is, {UPGRADE_OLDER}",
        is_authentication=True,
    ),
    errors.HEADER: RefusalRow(
        "this is not a capsule of this network, or its header was altered or cut off",
        "compare network ids (ndks info, ndks network show FILE); if they are equal, ask the sender to send it again",
        is_authentication=True,
    ),
    errors.SUITE: RefusalRow(
        "the suite of the capsule is not that of the network",
        "ask the sender which network the unit is a member of",
    ),
    errors.KIND: RefusalRow(
        "the capsule is of a kind that this command does not take",
        "capsules with beacons are for ndks agent, messages for ndks decrypt or ndks agent",
    ),
    errors.REFLECTED: RefusalRow(
        "the capsule was made by this same unit",
        "decrypt it with a unit of the receiver, or with the network file: --network FILE",
    ),
    errors.DUPLICATE: RefusalRow(
        "the capsule was accepted before",
        "to read the message again, repeat with --again",
    ),
    errors.TOO_OLD: RefusalRow(
        f"{WINDOW_SIZE} or more numbers behind the latest capsule of its sender",
        "if it came late, or the sender was unplugged often, repeat with --again",
    ),
    errors.SENDERS: RefusalRow(
        f"the unit has replay windows for {MAX_SENDERS} senders, and all are taken",
        "decrypt it with the network file: --network FILE",
    ),
    errors.AUTH: RefusalRow(
        "the capsule was altered or cut off on its way", "ask the sender to send it again", is_authentication=True
    ),
    errors.DIVERGED: RefusalRow(
        "the capsule is intact, but the sender's generator made another key than this one",
        "bring both units together and compare: ndks key --index 1; provision again the one that differs",
        is_authentication=True,
    ),
    errors.BINDING: RefusalRow(
        "the sender's unit is bound to another laptop than this unit was told",
        "ask the sender; if his unit was moved, ask for its binding id (ndks info --unit UNIT shows it there) and run: "
        "ndks trust LANE ID",
        is_authentication=True,
    ),
    errors.CONFLICT: RefusalRow(
        "the request does not continue a message of this session, or alters one", "repeat; this begins a new message"
    ),
    errors.STALE: RefusalRow(
        "what the unit was given is of a generation that it has left, or is in already",
        "nothing is to be done: the sender learns of the present generation from its host",
    ),
    errors.CUT: RefusalRow(
        "this is of a generation in which a lane that is revoked now was a member",
        "ask the sender to send it again: its host vouches for what it sent before",
    ),
    errors.ROSTER: RefusalRow(
        "the new generation leaves out a revocation that this unit knows",
        "ask the administrators to merge their files: ndks network merge",
    ),
    errors.REVOKED: RefusalRow(
        "the sender of this capsule was expelled from the network",
        "do not trust it; ask the administrator",
        is_authentication=True,
    ),
    errors.NO_EPOCH: RefusalRow(
        "the unit has no secret that this needs: it waits for its first notice, or its network has no administrators",
        "give it the network's latest bundle; for a network without administrators: ndks network upgrade",
    ),
    errors.LOCKED: RefusalRow(
        "the unit is locked: it opens only for the laptop that it is bound to",
        "use it at the laptop that it is bound to; bind a new or moved unit first: ndks bind",
        is_authentication=True,
    ),
    errors.KEK: RefusalRow(
        "the laptop's key does not decrypt the state of the unit; nothing was changed",
        "use the laptop that it is bound to; if that is lost: ndks zeroize, then provision it",
        is_authentication=True,
    ),
    errors.SESSION_ENDED: RefusalRow(
        "a frame was altered, lost or repeated on the line, and the unit ended the session",
        "repeat the command; if it stays, try another cable or port",
    ),
    errors.DELAYED: RefusalRow(
        "the unit refuses requests for up to a minute after wrong attempts",
        "wait for a minute, leave the unit plugged in, and repeat",
        is_authentication=True,
    ),
    errors.PUBLIC_KEY: RefusalRow(
        "a public key has low order: whoever made it would share no secret with anybody",
        "do not trust where it comes from; repeat with a new one",
        is_authentication=True,
    ),
    service.NO_UNIT: RefusalRow(
        "the unit of the service is unplugged, does not answer, or its port is released",
        "plug it in, or wait for the end of ndks service release, and repeat",
    ),
    service.BUSY: RefusalRow(
        "the service has no place: another program takes a key or works on a message, or too many are connected",
        "repeat when they are done",
    ),
    service.DENIED: RefusalRow(
        "this socket of the service is for other commands",
        "use the socket of the right scope, see ndks service status; or the port itself: ndks service release",
    ),
}
UNKNOWN = RefusalRow("the unit answered with an error code that this version does not know", UPGRADE_HOST)
