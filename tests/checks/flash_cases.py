# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of flash contents at a start: full and torn tails, damaged snapshots and records."""

import struct

from command_vectors import acknowledgement
from conversation import FIRST, Conversation
from flash_reference import BOOTS, EXPORT_COUNTER, NVM_SIZE, TAIL, Flash, extent, record
from record_vectors import Life, counter, provisioned
from wire_codes import C

Case = tuple[Conversation, Flash]
ERASED = b"\xff" * NVM_SIZE


def member_flash() -> Flash:
    flash = Flash()
    provisioned(flash)
    return flash


def full_tails() -> Case:
    """The tail of the start counter is full; the tail of the counter of exported keys has one byte left."""
    life = Life()
    life.resume(TAIL + 2)
    life.flash = flash = member_flash()
    flash.append(BOOTS, struct.pack(">Q", 1))
    flash.append(EXPORT_COUNTER, counter(2))
    for kind, steps in ((BOOTS, TAIL), (EXPORT_COUNTER, TAIL - 1)):
        for _ in range(steps):
            flash.count(kind)
    before = Flash()
    before.nvm[:] = flash.nvm
    life.start()
    life.greet()
    life.show()
    life.open_session()
    for index in (TAIL + 1, TAIL + 2):
        life.acknowledge(index)
        life.show()
    return life, before


def torn_tail() -> Case:
    """All bytes up to the last one that is not FF count; the next step uses the byte after it."""
    flash = member_flash()
    flash.append(EXPORT_COUNTER, counter(2))
    flash.nvm[flash.end - TAIL : flash.end - TAIL + 4] = b"\x00\xff\x00\x3f"
    talk = Conversation()
    talk.resume()
    talk.open_session()
    talk.say((C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 6)), (C.ACKNOWLEDGE, acknowledgement(6), struct.pack(">Q", 7)))
    talk.restart()
    talk.open_session()
    talk.say((C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 7)))
    return talk, flash


def two_snapshots() -> Flash:
    """The next index is 5 in snapshot 0, 9 in snapshot 1, and 12 in nvm."""
    flash = member_flash()
    flash.append(BOOTS, struct.pack(">Q", 1))
    for index in (5, 9):
        flash.append(EXPORT_COUNTER, counter(index))
        flash.compact()
    flash.append(EXPORT_COUNTER, counter(12))
    return flash


def damaged(nvm: str, snapshots: str, next_index: int) -> Case:
    """Damage nvm (intact, blank, or its last record "damaged") and the two snapshots (W: intact, D: damaged)."""
    flash = two_snapshots()
    if nvm == "blank":
        flash.nvm[:] = ERASED
    elif nvm == "damaged":
        flash.nvm[flash.end - extent(EXPORT_COUNTER, 12) + 24] ^= 1
    for slot, state in enumerate(snapshots):
        if state == "D":
            image = bytearray(flash.snapshots[slot])
            image[40] ^= 1
            flash.snapshots[slot] = bytes(image)
    talk = Conversation()
    if next_index:
        talk.resume(2)
        talk.open_session()
        talk.say((C.NEXT_INDEX, b"", struct.pack(">IQ", 0, next_index)))
        talk.restart()
        talk.open_session()
        talk.say((C.NEXT_INDEX, b"", struct.pack(">IQ", 0, next_index)))
    else:
        talk.greet()
    return talk, flash


def equal_numbers() -> Case:
    """Of two records with the same sequence number the later one is valid; one with too high a number is ignored."""
    flash = member_flash()
    for sequence, index in ((9, 5), (9, 7), (8, 11), (0xFFFF0001, 13)):
        data = record(EXPORT_COUNTER, sequence, counter(index), FIRST)
        flash.nvm[flash.end : flash.end + len(data)] = data
        flash.end += extent(EXPORT_COUNTER, 12)
    talk = Conversation()
    talk.resume()
    talk.open_session()
    talk.say((C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 7)))
    return talk, flash


FLASH_CASES = {
    "full tails of counters": full_tails,
    "torn tail of a counter": torn_tail,
    "records with equal numbers": equal_numbers,
    **{
        f"nvm {nvm}, snapshots {snapshots} (W whole, D damaged)": lambda values=values: damaged(*values)
        for values in (
            ("whole", "WD", 12),
            ("whole", "DD", 12),
            ("damaged", "WD", 9),
            ("blank", "WW", 9),
            ("blank", "WD", 5),
            ("blank", "DW", 9),
            ("blank", "DD", 0),
        )
        for nvm, snapshots, _ in (values,)
    },
}
