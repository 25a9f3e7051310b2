# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Descriptions of the commands for PROTOCOL.md. A unit does not import this module."""

from . import commands, service

PURPOSES: dict[int, str] = {
    commands.HELLO.code: "return versions, state and limits of the unit",
    commands.STATUS.code: "return the configuration and the health of the unit; no secrets",
    commands.PROVISION.code: "make a blank unit a member of a network; ends the session",
    commands.CLOSE.code: "end the session; with unplug, return unused reserved numbers",
    commands.OPEN_SESSION.code: "begin a session: agree on a key; the unit proves that it knows the binding",
    commands.PROVE.code: "the host proves that it knows the binding; all later frames are secured",
    commands.UNLOCK.code: "give the unit the key that decrypts its secrets",
    commands.BIND.code: "re-encrypt all secrets under a new binding: this laptop instead of the transport code",
    commands.TRUST.code: "set the binding id of the laptop of another lane's unit; zeros clear it",
    commands.ZEROIZE.code: "erase everything for ever",
    commands.ENROL.code: "make a blank unit a member of an administered network, by a package for its joining key",
    commands.JOINING_KEY.code: "make a key pair to which a membership can be sealed; void the one before",
    commands.PROVISION_SEALED.code: "make a blank unit a member by a package that was sealed to its joining key",
    commands.NEXT_INDEX.code: "return the next key index of the common lane",
    commands.KEY_CHUNK.code: "return bytes of an exported key; stateless",
    commands.ACKNOWLEDGE.code: "mark this key and all earlier ones as used; return the next index",
    commands.SEAL_BEGIN.code: "mode b: begin a message under the unit's next message number",
    commands.SEAL_CHUNK.code: "mode b: encrypt the next piece of data; return one chunk, or two at the end",
    commands.SEAL_KEYS.code: "mode a: begin a message under the unit's next message number; return its keys",
    commands.OPEN_BEGIN.code: "mode b: begin to open a capsule",
    commands.OPEN_CHUNK.code: "mode b: decrypt the next chunk",
    commands.OPEN_KEYS.code: "mode a: begin to open a capsule; return the keys of the message",
    commands.MESSAGE_STREAM.code: "mode a, cipher vernam: return the next bytes of the keystream",
    commands.MESSAGE_CHECK.code: "return the key check value of a message of this size, in both modes",
    commands.ACCEPT.code: "record that the host has stored the message; refuse to open it again without the flag again",
    commands.TICK.code: "tell the unit that time has passed; return its role, and a beacon if one is due",
    commands.CONTROL.code: "hand the unit a beacon of another one",
    commands.NOTICE.code: "hand the unit its notice of a generation, which it enters",
    commands.HINT.code: "return the first bytes by which a host finds the unit's notice of a generation",
    commands.RENEW.code: "begin the next epoch, as master",
    commands.ROLE.code: "set how the unit takes part in elections of a master",
}
OF_SERVICE: dict[int, str] = {
    service.WATCH.code: "wait until the unit comes, goes, or changes its epoch, its role or its list of revoked lanes",
    service.TAKE_NUMBER.code: "take a number of the unit's own lane for no message, and return it",
    service.MESSAGE_KEYS.code: "mode a, cipher aes: take the next message number; return all keys of the message",
    service.OPEN_MESSAGE_KEYS.code: "mode a, cipher aes: check a header; return all keys of the message",
    service.RELEASE.code: "close the unit's port for so long, so that another program can use it",
}
