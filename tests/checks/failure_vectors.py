# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of failures: delays, an open case, state of other versions, read-only files, a cut erasure."""

import struct
from collections.abc import Callable

import conversation
from capsule_reference import AES, MAX_JUMP
from command_vectors import acknowledgement, begin, begins, needing_a_session, own_message, piece
from conversation import (
    ERASE,
    FIRST,
    LAST,
    LOCKED_STATE,
    MEMBER,
    OPENING,
    SECOND,
    TAMPERED_STATE,
    UID,
    Conversation,
    Step,
    a_member,
    unlocking,
)
from flash_cases import member_flash
from flash_reference import MESSAGE_COUNTER, STATE_FORMAT, TAMPERED, WRONG_ATTEMPTS, Flash, extent, marker, record
from wire_codes import C, E


def delays() -> Conversation:
    """Cause delays: after a restart a delay begins again at the start."""
    talk = Conversation()
    talk.provision(FIRST)
    talk.greet()
    talk.begin_session()
    talk.prove_wrongly()
    talk.wait(150)
    talk.say((C.OPEN_SESSION, OPENING, E.DELAYED))
    talk.restart()
    delayed(talk, 200)
    talk.open_session()
    return talk


def longest_delay(attempts: int) -> tuple[Conversation, Flash]:
    flash = member_flash()
    flash.append(WRONG_ATTEMPTS, struct.pack(">I", attempts))
    talk = Conversation()
    talk.resume()
    delayed(talk, 60000 if attempts > 9 else 51200)
    talk.open_session()
    return talk, flash


def delayed(talk: Conversation, milliseconds: int) -> None:
    talk.greet()
    talk.wait(milliseconds - 1)
    talk.say((C.OPEN_SESSION, OPENING, E.DELAYED))
    talk.wait(1)
    talk.greet()


def ends_of_sessions() -> Conversation:
    """Send requests that end the session, and others that do not."""
    talk = a_member()
    index = (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 1))
    refused = (C.OPEN_SESSION, OPENING[1:], E.BAD_REQUEST), (C.CLOSE, b"\2", E.RANGE), (C.PROVE, bytes(16), E.CONFLICT)
    talk.say(*refused, (C.ZEROIZE, bytes(16), E.RANGE), (C.ZEROIZE, b"", E.BAD_REQUEST), index)
    talk.begin_session()
    talk.say((C.NEXT_INDEX, b"", E.LOCKED))
    talk.prove()
    talk.say((C.NEXT_INDEX, b"", E.LOCKED))
    talk.unlock()
    talk.say(index)
    talk.say_in_the_clear((C.HELLO, b"\0", E.BAD_REQUEST), (C.NEXT_INDEX, b"", E.LOCKED))
    talk.begin_session()
    talk.say((C.CLOSE, b"\0", b""), (C.PROVE, bytes(16), E.CONFLICT))
    talk.open_session()
    talk.zeroize()
    talk.greet()
    return talk


def unlocking_again() -> Conversation:
    """Unlock again without HELLO: UNLOCK ends the pending messages, unless it is refused before the KEK is checked."""
    talk = Conversation()
    talk.provision(FIRST)
    talk.begin_session()
    talk.prove()
    talk.unlock()
    message = own_message(AES, 1, b"x")
    ended, index = (
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b"x"), E.CONFLICT),
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 1)),
    )
    talk.say(
        (C.SEAL_BEGIN, begin("1st-mess", AES), begins(message)),
        (C.UNLOCK, unlocking(FIRST, allow_jump=2), E.RANGE),
        (C.UNLOCK, b"", E.BAD_REQUEST),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b"x"), message.chunks[0]),
        (C.UNLOCK, unlocking(FIRST), b""),
        ended,
    )
    used = talk.used + extent(MESSAGE_COUNTER, 12)
    refused = (
        (unlocking(SECOND), E.KEK),
        (unlocking(FIRST, LAST + 1), E.RANGE),
        (unlocking(FIRST, MAX_JUMP + 3), E.TOO_FAR),
    )
    for request, error in refused:
        talk.say((C.UNLOCK, request, error), talk.status(LOCKED_STATE, used), (C.NEXT_INDEX, b"", E.LOCKED))
    talk.say((C.UNLOCK, unlocking(FIRST, MAX_JUMP + 2), b""), index, ended)
    return talk


def opened_case() -> Conversation:
    """Open the case in a session; the unit reports it until ZEROIZE, and as long as it was open since the start."""
    talk = a_member()
    talk.set_case(is_open=True)
    talk.say((C.NEXT_INDEX, b"", E.TAMPERED))
    talk.be_erased()
    talk.is_tampered = True
    talk.greet()
    talk.say(
        *needing_a_session(E.TAMPERED),
        *needing_no_erasure(E.TAMPERED),
    )
    talk.set_case(is_open=False)
    talk.restart()
    talk.greet()
    talk.say(talk.status(TAMPERED_STATE, extent(STATE_FORMAT, 5) + extent(TAMPERED, 1), erases=1))
    talk.zeroize()
    talk.is_tampered = False
    talk.greet()
    talk.set_case(is_open=True)
    talk.is_tampered = True
    talk.greet()
    talk.zeroize()
    talk.set_case(is_open=False)
    talk.greet()  # it was open since the start
    talk.restart()
    talk.is_tampered = False
    talk.greet()
    talk.provision(FIRST)
    return talk


def foreign_state(version: int) -> tuple[Conversation, Flash]:
    """Start with the state of another version of the firmware; that of an older one can be erased."""
    flash = Flash()
    data = record(STATE_FORMAT, 1, struct.pack(">BI", version, 7))
    flash.nvm[: len(data)] = data
    talk = Conversation()
    is_older = version < conversation.FORMAT
    talk.format, talk.flags = version, 1 if is_older else 4
    talk.greet()
    refused = (*needing_no_erasure(E.STATE_FORMAT), (C.ZEROIZE, bytes(16), E.RANGE))
    talk.say(*needing_a_session(E.STATE_FORMAT), *refused, (C.ZEROIZE, ERASE, b"" if is_older else E.STATE_FORMAT))
    if is_older:
        talk.format, talk.flags = conversation.FORMAT, 0
    talk.greet()
    return talk, flash


def no_files() -> Conversation:
    """Let the computer own the drive: BIND and ZEROIZE are refused; BIND leaves the unit locked."""
    talk = a_member()
    talk.set_files(writable=False)
    talk.say(
        (C.ZEROIZE, b"ZEROISE!" + UID, E.RANGE),
        (C.ZEROIZE, ERASE, E.STORAGE),
        (C.ACKNOWLEDGE, acknowledgement(1), struct.pack(">Q", 2)),
        (C.BIND, SECOND.secret, E.STORAGE),
        (C.NEXT_INDEX, b"", E.LOCKED),
        (C.UNLOCK, unlocking(FIRST), b""),
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 2)),
    )
    talk.greet()
    talk.say((C.ZEROIZE, ERASE, E.STORAGE))
    talk.set_files(writable=True)
    talk.open_session()
    talk.bind(SECOND)
    return talk


def unfinished_erasure() -> tuple[Conversation, Flash]:
    """Start after a cut erasure, while the files cannot be written: nothing in flash is valid."""
    flash = member_flash()
    flash.nvm[-32:] = marker(0)
    talk = Conversation()
    talk.set_files(writable=False)
    talk.greet()
    talk.say(*needing_a_session(E.STORAGE), *needing_no_erasure(E.STORAGE), (C.ZEROIZE, ERASE, E.STORAGE))
    talk.set_files(writable=True)
    talk.zeroize()
    talk.greet()
    talk.provision(FIRST)
    return talk, flash


def needing_no_erasure(error: int) -> list[Step]:
    """Send a request of each command that needs a unit in order, but no binding."""
    return [
        (C.OPEN_SESSION, OPENING, error),
        (C.PROVE, bytes(16), error),
        (C.JOINING_KEY, b"", error),
        (C.PROVISION, FIRST.secret + MEMBER, error),
        (C.PROVISION_SEALED, FIRST.secret, error),
        (C.ENROL, FIRST.secret, error),
    ]


def with_new_unit(talk: Callable[[], Conversation]) -> Callable[[], tuple[Conversation, None]]:
    return lambda: (talk(), None)


FAILURES: dict[str, Callable[[], tuple[Conversation, Flash | None]]] = {
    **{
        talk.__name__: with_new_unit(talk)
        for talk in (delays, ends_of_sessions, unlocking_again, opened_case, no_files)
    },
    "unfinished erasure": unfinished_erasure,
    "nine wrong proofs": lambda: longest_delay(9),
    "ten wrong proofs": lambda: longest_delay(10),
    "as many wrong proofs as are counted": lambda: longest_delay(0xFFFFFFFF),
    "state of an older firmware": lambda: foreign_state(2),
    "state of a newer firmware": lambda: foreign_state(5),
}
