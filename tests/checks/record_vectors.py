# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of flash: records, and the contents of nvm and snapshots during a unit's life."""

import copy
import struct
from typing import Any

import conversation
from capsule_reference import AES
from command_vectors import acknowledgement, begin, begins, others_message, own_message
from conversation import ABOUT_STEPS, FIRST, MEMBER, SECOND, UID, Conversation, binding_body, unit_salt
from flash_reference import (
    BINDING,
    BOOTS,
    ERASING,
    EXPORT_COUNTER,
    JOINING_KEY,
    MARKER_SIZE,
    MEMBER_IDS,
    MEMBERSHIP,
    MESSAGE_COUNTER,
    STATE_FORMAT,
    TAMPERED,
    WINDOWS,
    WRONG_ATTEMPTS,
    Flash,
    marker,
    record,
    state_format,
)
from wire_codes import C, E
from x25519_reference import public_key

ABOUT_IMAGES = (
    " An image is a list of [offset, bytes]; all else in its 4096 bytes is FF. flash is what nvm and both snapshots"
    " hold after a step. interrupted_binding: the power was cut after the commit of BIND, which left flash as it is in"
    " before; steps is a conversation from the next start on. interrupted_erasures: begun, and nothing erased yet; the"
    " next start makes after of before. joining: a conversation with another unit. records: one by one, sealed and open"
    " ones under the first of bindings."
)


def provisioned(flash: Flash) -> None:
    flash.clear()
    flash.binding = FIRST
    flash.append(STATE_FORMAT, state_format(flash.erases))
    flash.append(MEMBERSHIP, MEMBER)
    flash.append(BINDING, binding_body(FIRST, unit_salt(FIRST), settled=1))


def counter(index: int) -> bytes:
    return struct.pack(">IQ", 0, index)


def make_records() -> dict[str, Any]:
    """Return the records after provisioning, after acknowledging keys 1 to 3, and after key 9."""
    flash = Flash()
    provisioned(flash)
    flash.append(EXPORT_COUNTER, counter(2))
    flash.count(EXPORT_COUNTER)
    flash.count(EXPORT_COUNTER)
    flash.append(EXPORT_COUNTER, counter(10))
    return {
        "about": "nvm of a unit provisioned like this, these keys acknowledged in this order; its random bytes are the"
        " first of entropy (PROTOCOL.md section 7)",
        "provision": (FIRST.secret + MEMBER).hex(),
        "entropy": conversation.ENTROPY.hex(),
        "acknowledged": [1, 2, 3, 9],
        "next_index": 10,
        "nvm": bytes(flash.nvm[: flash.end]).hex(),
    }


def single_records() -> list[dict[str, Any]]:
    bodies = {
        MEMBERSHIP: (MEMBER, b"", b"x" * 15, b"x" * 16, b"x" * 17, bytes(range(256))),
        MEMBER_IDS: (b"", struct.pack(">H", 9) + FIRST.id),
        WINDOWS: (window(9, {1}),),
        WINDOWS + conversation.MAX_SENDERS - 1: (window(65535, {(1 << 48) - 1}),),
        EXPORT_COUNTER: (counter(1), counter((1 << 48) - 1)),
        MESSAGE_COUNTER: (counter(65),),
        BOOTS: (struct.pack(">Q", 1),),
        WRONG_ATTEMPTS: (struct.pack(">I", 3),),
        STATE_FORMAT: (state_format(0), state_format(100_000)),
        ERASING: (b"\0", b"\1"),
        TAMPERED: (b"\1",),
        JOINING_KEY: (joining_pair(bytes(range(32))),),
        BINDING: (binding_body(FIRST, bytes(range(16)), 0), binding_body(FIRST, bytes(range(16)), 1)),
    }
    return [
        {"type": kind, "seq": sequence, "body": body.hex(), "record": record(kind, sequence, body, FIRST).hex()}
        for kind, values in bodies.items()
        for body in values
        for sequence in (0, 0xFFFFFFFF)
    ]


def joining_pair(private: bytes) -> bytes:
    """Return the body of the record of a joining key."""
    return private + public_key(private)


def window(lane: int, accepted: set[int]) -> bytes:
    top = max(accepted)
    bits = sum(1 << top - number for number in accepted)
    return struct.pack(">H", lane) + top.to_bytes(6) + bits.to_bytes(32)


class Life(Conversation):
    """A conversation, and the flash after its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.flash = Flash()

    def show(self) -> None:
        """Add the contents of flash after the last step."""
        self.steps[-1]["flash"] = self.flash.described()

    def become_a_member(self, binding: conversation.Binding) -> None:
        super().become_a_member(binding)
        provisioned(self.flash)
        self.flash.restart()

    def make_joining_key(self) -> None:
        super().make_joining_key()
        self.flash.clear()
        self.flash.append(STATE_FORMAT, state_format(self.flash.erases))
        self.flash.append(JOINING_KEY, joining_pair(self.joining_key))

    def zeroize(self) -> None:
        super().zeroize()
        self.flash.erase(0)

    def unlock(self, minimum: int = 0) -> None:
        super().unlock(minimum)
        self.flash.unlock()

    def restart(self) -> None:
        super().restart()
        self.start()

    def start(self) -> None:
        """Write the records of a start."""
        self.flash.restart()
        if not self.binding:
            return
        if BOOTS in self.flash.bodies:
            self.flash.count(BOOTS)
        else:
            self.flash.append(BOOTS, struct.pack(">Q", 1))

    def acknowledge(self, index: int) -> None:
        self.say((C.ACKNOWLEDGE, acknowledgement(index), struct.pack(">Q", index + 1)))
        if self.flash.bodies.get(EXPORT_COUNTER) == counter(index):
            self.flash.count(EXPORT_COUNTER)
        else:
            self.flash.append(EXPORT_COUNTER, counter(index + 1))

    def acknowledge_until_compacted(self, index: int) -> int:
        """Acknowledge every second key, so that each needs a record; return the last."""
        erases = self.flash.erases
        while self.flash.erases == erases:
            index += 2
            self.acknowledge(index)
        return index

    def accept(self, lane: int, number: int, slot: int, accepted: set[int]) -> None:
        self.say((C.ACCEPT, others_message(AES, lane, number, b"").header + b"\0", b""))
        accepted.add(number)
        self.flash.append(WINDOWS + slot, window(lane, accepted))

    def attempts(self, number: int) -> None:
        self.flash.append(WRONG_ATTEMPTS, struct.pack(">I", number))


def a_life() -> Life:
    """Execute all commands that write to flash, until the log has been full twice."""
    life = Life()
    life.provision(FIRST)
    life.show()
    life.open_session()
    for index in (1, 2, 3):
        life.acknowledge(index)
    life.show()
    life.say((C.TRUST, struct.pack(">H", 9) + SECOND.id, b""))
    life.flash.append(MEMBER_IDS, struct.pack(">H", 9) + SECOND.id)
    life.say((C.SEAL_BEGIN, begin("1st-mess", AES), begins(own_message(AES, 1, b""))))
    life.flash.append(MESSAGE_COUNTER, counter(65))
    ninth, tenth = set[int](), set[int]()
    life.accept(9, 1, 0, ninth)
    life.accept(10, 500, 1, tenth)
    life.accept(9, 3, 0, ninth)
    life.accept(10, 490, 1, tenth)
    life.show()
    life.say((C.CLOSE, b"\1", b""))
    life.flash.append(MESSAGE_COUNTER, counter(2))
    life.greet()
    life.begin_session()
    life.prove_wrongly()
    life.attempts(1)
    life.wait(200)
    life.begin_session()
    life.prove()
    life.attempts(0)
    life.unlock()
    life.show()
    life.restart()
    life.greet()
    life.show()
    life.restart()
    life.open_session()
    life.show()
    index = life.acknowledge_until_compacted(3)
    life.show()
    index = life.acknowledge_until_compacted(index)
    life.show()
    life.restart()
    life.open_session()
    life.acknowledge(index + 1)
    return life


def with_another_laptop(life: Life) -> None:
    life.bind(SECOND)
    life.flash.rebind(SECOND, *(binding_body(SECOND, life.salt, settled) for settled in (0, 1)))
    life.show()
    life.open_session()
    life.say((C.ACKNOWLEDGE, acknowledgement(1), struct.pack(">Q", counted_to(life))))
    life.acknowledge(counted_to(life))
    life.show()


def counted_to(life: Life) -> int:
    return int.from_bytes(life.flash.bodies[EXPORT_COUNTER][-8:])


def interrupted_binding(life: Life) -> dict[str, Any]:
    """Cut the power just after the commit of BIND."""
    life.flash.prepare_binding(SECOND, binding_body(SECOND, life.salt, settled=0))
    before = life.flash.described()
    life.flash.erases += 1  # the snapshot, in which the newest state format lies, counts the erase that was to come
    life.binding, life.steps = SECOND, []
    life.restart()
    life.greet()
    life.show()
    life.begin_session()
    life.prove()
    life.unlock()
    life.flash.settle(binding_body(SECOND, life.salt, settled=1))
    life.show()
    life.say((C.ACKNOWLEDGE, acknowledgement(1), struct.pack(">Q", counted_to(life))))
    return {"before": before, "steps": life.steps}


def interrupted_erasure(life: Life, cause: int) -> dict[str, Any]:
    flash = copy.deepcopy(life.flash)
    flash.nvm[-MARKER_SIZE:] = marker(cause)
    before = flash.described()
    flash.erase(cause)
    return {"before": before, "after": flash.described()}


def joining() -> list[dict[str, Any]]:
    """Make joining keys: each voids the one before, and none is left by what uses or erases it."""
    life = Life()
    life.make_joining_key()
    life.show()
    life.make_joining_key()
    life.show()
    life.restart()
    life.provision_sealed(FIRST)
    life.show()
    life.greet()
    life.zeroize()
    life.show()
    life.make_joining_key()
    life.show()
    life.zeroize()
    life.show()
    life.make_joining_key()
    life.provision(FIRST)
    life.show()
    life.zeroize()
    life.make_joining_key()
    life.set_case(is_open=True)
    life.say((C.JOINING_KEY, b"", E.TAMPERED))
    life.flash.erase(1)
    life.show()
    return life.steps


def make_flash() -> dict[str, Any]:
    life = a_life()
    binding = interrupted_binding(copy.deepcopy(life))
    with_another_laptop(life)
    erasures = {name: interrupted_erasure(life, cause) for name, cause in (("on_purpose", 0), ("by_tampering", 1))}
    life.greet()
    life.zeroize()
    life.show()
    life.provision(FIRST)
    life.show()
    return {
        "about": "the life of a unit, and its flash (PROTOCOL.md section 7). " + ABOUT_STEPS + ABOUT_IMAGES,
        "uid": UID.hex(),
        "entropy": conversation.ENTROPY.hex(),
        "bindings": [FIRST.in_hex(), SECOND.in_hex()],
        "steps": life.steps,
        "interrupted_binding": binding,
        "interrupted_erasures": erasures,
        "joining": joining(),
        "records": single_records(),
    }
