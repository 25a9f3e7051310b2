# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of commands (PROTOCOL.md section 5): each is declared once, here."""

from .layout import ON_A_BOARD, layout

# What a command needs; the dispatcher refuses it otherwise.
NOTHING = 0
IS_BLANK = 1  # else PROVISIONED
IS_PROVISIONED = 2  # else BLANK, or TAMPERED
PROVED = 4  # a session, in which UNLOCK is still to come; else LOCKED
SESSION = 8  # a session in which the unit's secrets are open; else LOCKED

# States of a unit, in the answer to HELLO
STATE_BLANK = 0
STATE_PROVISIONED = 1  # in a session only; for everybody else the unit is locked
STATE_LOCKED = 2
STATE_TAMPERED = 3  # the case was opened: everything has been erased

# Flags of a unit, in the answers to HELLO and STATUS
NOT_SEALED = 1  # an older firmware's state, with secrets in the clear: it is left alone, and can only be erased
READ_ONLY = 2  # the snapshot files cannot be written: no key can be acknowledged once the log is full
NEWER_STATE = 4  # a newer firmware wrote the state: it is left alone, and every other command is refused

# Suites, as numbered on the wire
SUITES = ("paper", "hybrid")
CIPHERS = ("vernam", "aes")
VERNAM, AES = 0, 1

# Kinds of messages
DATA = 0
CONTROL = 1  # not defined yet, and refused

# Flags of OPEN_BEGIN and OPEN_KEYS
AGAIN = 1  # open a message that was accepted before; nothing moves
ALLOW_JUMP = 2  # open a message that is more than 2^20 numbers ahead

MAX_CHUNK = 1024  # bytes of key that one KEY_CHUNK asks for at most
MAX_KEY_BYTES = 1 << 37  # a key has 2^40 bits at most
MAX_NAME = 32  # bytes of a network's name
COMMON_LANE = 0
INDEX_BITS = 48  # key index = lane * 2^48 + n
MAX_JUMP = 1 << 20  # how far ahead an index may be without allow_jump
WINDOW_SIZE = 256  # how many of a sender's latest numbers are told apart
MAX_SENDERS = 10  # whose windows a unit keeps: so many fit into nvm and leave it room to accept 40 capsules an erase
WIRE_HEADER_SIZE = 37  # bytes of a capsule before its chunks
CONFIRMATION = b"ZEROIZE!"  # what ZEROIZE asks for, so that nothing is erased by accident

MEMBERSHIP = "epoch:u32 lane:u16 suite:u8 cipher:u8 digits:u8 secret:b32 network:text p1:text p2:text f1:u8 f2:u8"

TABLE: dict[int, "Command"] = {}


class Command:
    """One command: its code and name (not on a board), what its request and answer carry, what it needs."""

    name = ""

    def __init__(self, code: int, name: str, request: str, answer: str, needs: int):
        self.code = code
        self.request = layout(request)
        self.answer = layout(answer)
        self.needs = needs
        if not ON_A_BOARD:
            self.name = name
        TABLE[code] = self


HELLO = Command(
    0x01,
    "HELLO",
    "",
    "major:u8 minor:u8 firmware:b3 state_format:u8 state:u8 flags:u8 uid:b8 salt:b16 binding_id:b16"
    " max_payload:u16 lanes:u16 window:u16 epochs:u8",
    NOTHING,
)
STATUS = Command(
    0x02,
    "STATUS",
    "",
    "state:u8 flags:u8 epoch:u32 lane:u16 suite:u8 cipher:u8 digits:u8 network:text network_id:b8"
    " log_used:u16 log_size:u16 free_memory:u32 dropped_frames:u32 f1:u8 f2:u8"
    " boots:u64 reset_reason:u8 erases:u32 wrong_attempts:u32 message_counter:u64",
    NOTHING,
)
PROVISION = Command(
    0x03,
    "PROVISION",
    # Units keep what follows the binding in flash as it is: another layout needs another format of their state.
    "binding:b32 " + MEMBERSHIP,
    "",
    IS_BLANK,
)
CLOSE = Command(
    0x04,
    "CLOSE",
    "unplug:u8",
    "",
    NOTHING,
)
OPEN_SESSION = Command(
    0x05,
    "OPEN_SESSION",
    "random:b16",
    "random:b16 proof:b16",
    IS_PROVISIONED,
)
PROVE = Command(
    0x06,
    "PROVE",
    "proof:b16",
    "",
    IS_PROVISIONED,
)
UNLOCK = Command(
    0x07,
    "UNLOCK",
    "kek:b32 minimum:u64 allow_jump:u8",
    "",
    IS_PROVISIONED | PROVED,
)
BIND = Command(
    0x08,
    "BIND",
    "binding:b32",
    "",
    IS_PROVISIONED | SESSION,
)
TRUST = Command(
    0x09,
    "TRUST",
    "lane:u16 binding_id:b16",
    "",
    IS_PROVISIONED | SESSION,
)
ZEROIZE = Command(
    0x0A,
    "ZEROIZE",
    "confirmation:b8 uid:b8",
    "",
    NOTHING,
)
NEXT_INDEX = Command(
    0x10,
    "NEXT_INDEX",
    "",
    "epoch:u32 index:u64",
    IS_PROVISIONED | SESSION,
)
KEY_CHUNK = Command(
    0x11,
    "KEY_CHUNK",
    "epoch:u32 index:u64 offset:u64 size:u16",
    "key:rest",
    IS_PROVISIONED | SESSION,
)
ACKNOWLEDGE = Command(
    0x12,
    "ACKNOWLEDGE",
    "epoch:u32 index:u64 allow_jump:u8",
    "index:u64",
    IS_PROVISIONED | SESSION,
)
SEAL_BEGIN = Command(
    0x20,
    "SEAL_BEGIN",
    "token:b8 cipher:u8 kind:u8 random:b8",
    "header:b37",
    IS_PROVISIONED | SESSION,
)
SEAL_CHUNK = Command(
    0x21,
    "SEAL_CHUNK",
    "token:b8 number:u32 last:u8 data:rest",
    "chunks:rest",
    IS_PROVISIONED | SESSION,
)
SEAL_KEYS = Command(
    0x22,
    "SEAL_KEYS",
    "token:b8 cipher:u8 kind:u8 random:b8",
    "header:b37 tag_key:b32 sync:b8 aes_key:rest",
    IS_PROVISIONED | SESSION,
)
OPEN_BEGIN = Command(
    0x23,
    "OPEN_BEGIN",
    "header:b37 flags:u8",
    "handle:b8 lane:u16 number:u64 cipher:u8",
    IS_PROVISIONED | SESSION,
)
OPEN_CHUNK = Command(
    0x24,
    "OPEN_CHUNK",
    "handle:b8 number:u32 last:u8 chunk:rest",
    "data:rest",
    IS_PROVISIONED | SESSION,
)
OPEN_KEYS = Command(
    0x25,
    "OPEN_KEYS",
    "header:b37 flags:u8",
    "handle:b8 lane:u16 number:u64 tag_key:b32 sync:b8 aes_key:rest",
    IS_PROVISIONED | SESSION,
)
MESSAGE_STREAM = Command(
    0x26,
    "MESSAGE_STREAM",
    "message:b8 offset:u64 size:u16",
    "keystream:rest",
    IS_PROVISIONED | SESSION,
)
MESSAGE_CHECK = Command(
    0x27,
    "MESSAGE_CHECK",
    "message:b8 size:u64",
    "check:b8",
    IS_PROVISIONED | SESSION,
)
ACCEPT = Command(
    0x28,
    "ACCEPT",
    "header:b37 allow_jump:u8",
    "",
    IS_PROVISIONED | SESSION,
)
