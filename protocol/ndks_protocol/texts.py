# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What commands are for and errors mean, in words: for hosts and PROTOCOL.md. A unit does not load this."""

from . import commands, errors

PURPOSES: dict[int, str] = {
    commands.HELLO.code: "who is there",
    commands.STATUS.code: "what the unit holds and how it is; no secrets",
    commands.PROVISION.code: "make a blank unit a member of a network",
    commands.CLOSE.code: "the host leaves; with unplug, reserved numbers that were not used are given back",
    commands.NEXT_INDEX.code: "the next key index of the common lane",
    commands.KEY_CHUNK.code: "bytes of an exported key; stateless",
    commands.ACKNOWLEDGE.code: "the key is safely out: never offer it or an earlier one again; answers the next",
    commands.SEAL_BEGIN.code: "mode b: begin a message under the next own number",
    commands.SEAL_CHUNK.code: "mode b: encrypt the next piece of data; answers a chunk, with the last perhaps two",
    commands.SEAL_KEYS.code: "mode a: begin a message under the next own number and give the host its keys",
    commands.OPEN_BEGIN.code: "mode b: begin to open a capsule",
    commands.OPEN_CHUNK.code: "mode b: decrypt the next chunk",
    commands.OPEN_KEYS.code: "mode a: begin to open a capsule and give the host the keys of this message",
    commands.MESSAGE_STREAM.code: "mode a, cipher vernam: the next bytes of the keystream",
    commands.MESSAGE_CHECK.code: "mode a: the key check value of a message of so many bytes",
    commands.ACCEPT.code: "the message is stored: never open it again unless asked to",
}

MEANINGS: dict[int, str] = {
    errors.BAD_REQUEST: "the payload does not fit the layout of the command",
    errors.UNKNOWN_COMMAND: "the unit has no such command",
    errors.INTERNAL: "the unit failed in a way it has no code for",
    errors.BLANK: "the unit is not provisioned",
    errors.PROVISIONED: "the unit is provisioned already",
    errors.STORAGE: "the unit cannot write its state; nothing was changed",
    errors.STATE_FORMAT: "the state was written by a newer firmware; nothing was changed",
    errors.RANGE: "a number or text lies outside its range",
    errors.EPOCH: "the unit is in another epoch",
    errors.TOO_FAR: "more than 2^20 numbers ahead of what the unit knows, without leave",
    errors.CAPSULE_VERSION: "the capsule has another version than 1, or it is no capsule",
    errors.HEADER: "no capsule of this network, or its header was altered or cut off",
    errors.SUITE: "the capsule was made with another suite than the network's",
    errors.KIND: "the capsule carries a control message, which is not defined yet",
    errors.REFLECTED: "the capsule was made by this same unit",
    errors.DUPLICATE: "a capsule of this sender with this number was accepted before",
    errors.TOO_OLD: "256 or more numbers behind the latest capsule of its sender",
    errors.SENDERS: "the unit keeps account of 12 senders, and this is another one",
    errors.AUTH: "the capsule was altered or cut off on its way",
    errors.DIVERGED: "the capsule is intact, but the sender's generator made another key than this one",
    errors.BINDING: "the capsule was made at another laptop than the one known of its sender",
    errors.CONFLICT: "the request does not continue a message of this session, or alters one",
}
