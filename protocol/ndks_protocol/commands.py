# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The table of commands, states, flags and limits (PROTOCOL.md section 5)."""

from .layout import ON_A_BOARD, layout
from .parameters import MAX_ELEMENTS

# Preconditions of a command. If one fails, the dispatcher answers with the error code that is named here.
NOTHING = 0
IS_BLANK = 1  # error PROVISIONED
IS_PROVISIONED = 2  # error BLANK or TAMPERED
PROVED = 4  # a session before UNLOCK; error LOCKED
SESSION = 8  # a session after UNLOCK, with the unit's secrets decrypted; error LOCKED
MEMBER = IS_PROVISIONED | SESSION

# States of a unit, in the answer to HELLO
STATE_BLANK = 0
STATE_PROVISIONED = 1  # unlocked in a session; otherwise a provisioned unit is locked
STATE_LOCKED = 2
STATE_TAMPERED = 3  # the case was opened, and the unit has erased everything

# Flags of a unit, in the answers to HELLO and STATUS
NOT_SEALED = 1  # an older firmware wrote the state, with secrets in the clear: the unit can only erase it
READ_ONLY = 2  # the snapshot files are not writable: no key can be acknowledged once the log is full
NEWER_STATE = 4  # a newer firmware wrote the state: the unit does not change it and refuses all other commands

# Suites, as numbered on the wire
SUITES = ("paper", "hybrid")
CIPHERS = ("vernam", "aes")
VERNAM, AES = 0, 1

# Kinds of messages
DATA = 0
CONTROL = 1  # reserved; units refuse it

# Flags of OPEN_BEGIN and OPEN_KEYS
AGAIN = 1  # open a message that was accepted before, without changing the window
ALLOW_JUMP = 2  # open a message more than MAX_JUMP numbers ahead

MAX_CHUNK = 1024  # maximum bytes of a key or of a capsule's data in one request or answer
MAX_KEY_BYTES = MAX_ELEMENTS >> 3
MAX_NAME = 32  # maximum size of a network's name in bytes
COMMON_LANE = 0
INDEX_BITS = 48  # key index, a u64 = lane * 2^48 + n
MAX_NUMBER = (1 << INDEX_BITS) - 1  # n, from 1 on
MAX_LANE = (1 << 64 - INDEX_BITS) - 1
MAX_JUMP = 1 << 20  # maximum distance of an index from the expected one without allow_jump
WINDOW_SIZE = 256  # message numbers in a replay window
MAX_SENDERS = 10  # replay windows on a unit: with ten, nvm has room to accept 40 capsules per erase
WIRE_HEADER_SIZE = 37  # bytes of a capsule before its chunks
CONFIRMATION = b"ZEROIZE!"  # argument of ZEROIZE that prevents an accidental erasure

MEMBERSHIP = "epoch:u32 lane:u16 suite:u8 cipher:u8 digits:u8 secret:b32 network:text p1:text p2:text f1:u8 f2:u8"

_HEADER = "header:b%d" % WIRE_HEADER_SIZE

TABLE: dict[int, "Command"] = {}


class Command:
    """One command: code, layouts of request and answer, preconditions. On a board it has no name."""

    name = ""

    def __init__(self, code: int, request: str, answer: str, needs: int):
        self.code = code
        self.request = layout(request)
        self.answer = layout(answer)
        self.needs = needs
        TABLE[code] = self


HELLO = Command(
    0x01,
    "",
    "major:u8 minor:u8 firmware:b3 state_format:u8 state:u8 flags:u8 uid:b8 salt:b16 binding_id:b16"
    " max_payload:u16 lanes:u16 window:u16 epochs:u8",
    NOTHING,
)
STATUS = Command(
    0x02,
    "",
    "state:u8 flags:u8 epoch:u32 lane:u16 suite:u8 cipher:u8 digits:u8 network:text network_id:b8"
    " log_used:u16 log_size:u16 free_memory:u32 dropped_frames:u32 f1:u8 f2:u8"
    " boots:u64 reset_reason:u8 erases:u32 wrong_attempts:u32 message_counter:u64",
    NOTHING,
)
# Units store the fields after the binding in flash as they arrive: a new layout needs a new state format.
PROVISION = Command(0x03, "binding:b32 " + MEMBERSHIP, "", IS_BLANK)
CLOSE = Command(0x04, "unplug:u8", "", NOTHING)
OPEN_SESSION = Command(0x05, "random:b16", "random:b16 proof:b16", IS_PROVISIONED)
PROVE = Command(0x06, "proof:b16", "", IS_PROVISIONED)
UNLOCK = Command(0x07, "kek:b32 minimum:u64 allow_jump:u8", "", IS_PROVISIONED | PROVED)
BIND = Command(0x08, "binding:b32", "", MEMBER)
TRUST = Command(0x09, "lane:u16 binding_id:b16", "", MEMBER)
ZEROIZE = Command(0x0A, "confirmation:b8 uid:b8", "", NOTHING)
NEXT_INDEX = Command(0x10, "", "epoch:u32 index:u64", MEMBER)
KEY_CHUNK = Command(0x11, "epoch:u32 index:u64 offset:u64 size:u16", "key:rest", MEMBER)
ACKNOWLEDGE = Command(0x12, "epoch:u32 index:u64 allow_jump:u8", "index:u64", MEMBER)
SEAL_BEGIN = Command(0x20, "token:b8 cipher:u8 kind:u8 random:b8", _HEADER, MEMBER)
SEAL_CHUNK = Command(0x21, "token:b8 number:u32 last:u8 data:rest", "chunks:rest", MEMBER)
SEAL_KEYS = Command(0x22, "token:b8 cipher:u8 kind:u8 random:b8", _HEADER + " tag_key:b32 sync:b8 aes_key:rest", MEMBER)
OPEN_BEGIN = Command(0x23, _HEADER + " flags:u8", "handle:b8 lane:u16 number:u64 cipher:u8", MEMBER)
OPEN_CHUNK = Command(0x24, "handle:b8 number:u32 last:u8 chunk:rest", "data:rest", MEMBER)
OPEN_KEYS = Command(
    0x25, _HEADER + " flags:u8", "handle:b8 lane:u16 number:u64 tag_key:b32 sync:b8 aes_key:rest", MEMBER
)
MESSAGE_STREAM = Command(0x26, "message:b8 offset:u64 size:u16", "keystream:rest", MEMBER)
MESSAGE_CHECK = Command(0x27, "message:b8 size:u64", "check:b8", MEMBER)
ACCEPT = Command(0x28, _HEADER + " allow_jump:u8", "", MEMBER)

if not ON_A_BOARD:  # take the names from the assignments above
    for _name, _value in list(globals().items()):
        if isinstance(_value, Command):
            _value.name = _name
