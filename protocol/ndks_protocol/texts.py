# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What commands are for, in words: for PROTOCOL.md. A unit does not load this."""

from . import commands

PURPOSES: dict[int, str] = {
    commands.HELLO.code: "who is there",
    commands.STATUS.code: "what the unit holds and how it is; no secrets",
    commands.PROVISION.code: "make a blank unit a member of a network",
    commands.CLOSE.code: "the host leaves; with unplug, reserved numbers that were not used are given back",
    commands.OPEN_SESSION.code: "begin a session: the unit proves first that it knows the binding",
    commands.PROVE.code: "the host proves it as well; every frame after this one is secured",
    commands.UNLOCK.code: "bring the key that the unit's secrets are sealed under",
    commands.BIND.code: "seal everything under another binding: this laptop instead of the transport code",
    commands.TRUST.code: "tell the unit which laptop the unit of another lane is bound to; zeros forget it",
    commands.ZEROIZE.code: "erase everything, for ever",
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
