# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The numbers of the protocol: codes, fields and preconditions of commands, states, flags and limits (PROTOCOL.md).

Unit and host use this module. `commands` adds names for hosts; a unit has no room for them.
"""

from .parameters import MAX_ELEMENTS

# Commands
HELLO = 0x01
STATUS = 0x02
PROVISION = 0x03
CLOSE = 0x04
OPEN_SESSION = 0x05
PROVE = 0x06
UNLOCK = 0x07
BIND = 0x08
TRUST = 0x09
ZEROIZE = 0x0A
ENROL = 0x0B
JOINING_KEY = 0x0C
PROVISION_SEALED = 0x0D
NEXT_INDEX = 0x10
KEY_CHUNK = 0x11
ACKNOWLEDGE = 0x12
SEAL_BEGIN = 0x20
SEAL_CHUNK = 0x21
SEAL_KEYS = 0x22
OPEN_BEGIN = 0x23
OPEN_CHUNK = 0x24
OPEN_KEYS = 0x25
MESSAGE_STREAM = 0x26
MESSAGE_CHECK = 0x27
ACCEPT = 0x28
TICK = 0x30
CONTROL = 0x31
NOTICE = 0x32
HINT = 0x33
RENEW = 0x34
ROLE = 0x35

# Preconditions of a command. If one fails, the dispatcher answers with the error code that is named here.
NOTHING = 0
IS_BLANK = 1  # error PROVISIONED
IS_PROVISIONED = 2  # error BLANK or TAMPERED
PROVED = 4  # a session before UNLOCK; error LOCKED
SESSION = 8  # a session after UNLOCK, with the unit's secrets decrypted; error LOCKED
USABLE = 16  # state of this format, no opened case, no incomplete erasure: the others include it
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
HYBRID = 1  # of SUITES

# Kinds of capsules
DATA = 0
OF_CONTROL = 1  # a beacon or a notice: opened by CONTROL and NOTICE
HOUSEKEEPING = 2  # between the programs of hosts that send messages
MESSAGE = 3  # numbered by such a program
KINDS = 4

# Modes of a unit in its network, and its roles
ELECTED, RELAY, MONITOR = 0, 1, 2
SLAVE, MASTER = 0, 1  # or MONITOR

# Events, in the answer to CONTROL
HEARD, MOVED, LOWER_RANK = 0, 1, 2

# Flags of OPEN_BEGIN and OPEN_KEYS
AGAIN = 1  # open a message that was accepted before, without changing the window
ALLOW_JUMP = 2  # open a message more than MAX_JUMP numbers ahead
VOUCHED = 4  # open a message of a generation that had fewer revoked lanes: its sender vouched for it in the present one

MAX_CHUNK = 1024  # maximum bytes of a key or of a capsule's data in one request or answer
MAX_KEY_BYTES = MAX_ELEMENTS >> 3
MAX_NAME = 32  # maximum size of a network's name in bytes
COMMON_LANE = 0
INDEX_BITS = 48  # key index, a u64 = lane * 2^48 + n
MAX_NUMBER = (1 << INDEX_BITS) - 1  # n, from 1 on
MAX_IN_TURN = (
    1 << INDEX_BITS - 1
) - 1  # highest n of the common lane that a host acknowledges; higher ones are only read
MAX_LANE = (1 << 64 - INDEX_BITS) - 1
MAX_JUMP = 1 << 20  # maximum distance of an index from the expected one without allow_jump
WINDOW_SIZE = 256  # message numbers in a replay window
MAX_SENDERS = 10  # replay windows on a unit: with ten, nvm has room to accept 40 capsules per erase
WIRE_HEADER_SIZE = 37  # bytes of a capsule before its chunks
CONFIRMATION = b"ZEROIZE!"  # argument of ZEROIZE that prevents an accidental erasure

# The fields of PROVISION after the binding, as units store them in flash: other fields need a new state format.
MEMBERSHIP = ">IHBBB32stttBB"

# By command, but for those of `control.rows`: preconditions, fields of the request, fields of the answer (notation:
# module `fields`). A higher minor version may add fields to the end of an answer.
COMMANDS = {
    HELLO: (NOTHING, ">", ">BB3sBBB8s16s16sHHHB"),
    STATUS: (NOTHING, ">", ">BBIHBBBt8sHHIIBBQBIIQ8s14s"),
    CLOSE: (NOTHING, ">B", ">"),
    OPEN_SESSION: (USABLE, ">32s16s", ">32s16s16s"),
    PROVE: (USABLE, ">16s", ">"),
    UNLOCK: (IS_PROVISIONED | PROVED, ">32sQB", ">"),
    PROVISION: (IS_BLANK | PROVED, ">32s" + MEMBERSHIP[1:], ">"),
    BIND: (MEMBER, ">32s", ">"),
    TRUST: (MEMBER, ">H16s", ">"),
    ZEROIZE: (NOTHING, ">8s8s", ">"),
    ENROL: (IS_BLANK | PROVED, ">32s*", ">HH"),
    JOINING_KEY: (IS_BLANK, ">", ">32s"),
    PROVISION_SEALED: (IS_BLANK | PROVED, ">32s*", ">"),
    NEXT_INDEX: (MEMBER, ">", ">IQ"),
    KEY_CHUNK: (MEMBER, ">IQQH", ">*"),
    ACKNOWLEDGE: (MEMBER, ">IQB", ">Q"),
    SEAL_BEGIN: (MEMBER, ">8sBB8s", ">37sI"),
    SEAL_CHUNK: (MEMBER, ">8sIB*", ">*"),
    SEAL_KEYS: (MEMBER, ">8sBB8s", ">37s32s8sI*"),
    OPEN_BEGIN: (MEMBER, ">37sB", ">8sHQBBI"),
    OPEN_CHUNK: (MEMBER, ">8sIB*", ">*"),
    OPEN_KEYS: (MEMBER, ">37sB", ">8sHQ32s8sBI*"),
    MESSAGE_STREAM: (MEMBER, ">8sQH", ">*"),
    MESSAGE_CHECK: (MEMBER, ">8sQ", ">8s"),
    ACCEPT: (MEMBER, ">37sB", ">"),
}
