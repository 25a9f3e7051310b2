# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of blank units: anonymous sessions, joining keys and packages."""

from collections.abc import Callable

from command_vectors import needing_a_session
from conversation import (
    BLANK_STATE,
    FIRST,
    LOCKED_STATE,
    MEMBER,
    OPENING,
    OWN_LANE,
    UNLOCKED_STATE,
    Conversation,
    sealed,
    unlocking,
)
from flash_reference import JOINING_KEY, STATE_FORMAT, Flash, extent, state_format
from package_vectors import OVERHEAD, with_top_bit
from record_vectors import joining_pair
from wire_codes import C, E
from x25519_reference import LOW_ORDER

PROVISIONING = FIRST.secret + MEMBER
FORMAT, PAIR = extent(STATE_FORMAT, 5), extent(JOINING_KEY, 64)


def anonymous_sessions() -> Conversation:
    """Open sessions with a blank unit: wrong proofs do not count, and the sessions end like those of a bound unit."""
    talk = Conversation()
    talk.begin_session()  # before any HELLO
    talk.say((C.PROVE, bytes(15), E.BAD_REQUEST))
    talk.prove_wrongly()
    talk.say((C.PROVE, bytes(16), E.CONFLICT), talk.status(BLANK_STATE, 0))
    talk.begin_session()  # without a delay
    talk.prove()
    talk.say(talk.status(BLANK_STATE, 0), *needing_a_session(E.BLANK), (C.UNLOCK, unlocking(FIRST), E.BLANK))
    talk.say((C.OPEN_SESSION, OPENING[1:], E.BAD_REQUEST), (C.PROVE, bytes(16), E.CONFLICT))
    talk.begin_session()
    talk.say((C.PROVISION, PROVISIONING, E.LOCKED))
    talk.prove()
    talk.say((C.CLOSE, b"\1", b""))
    talk.say_in_the_clear((C.PROVISION, PROVISIONING, E.LOCKED))
    talk.open_anonymously()
    talk.say_in_the_clear((C.STATUS, b"", E.SESSION_ENDED), (C.PROVISION, PROVISIONING, E.LOCKED))
    talk.open_anonymously()
    talk.refuse_public_key(bytes(32))
    talk.say((C.PROVE, bytes(16), E.CONFLICT), (C.PROVISION, PROVISIONING, E.LOCKED))
    talk.open_anonymously()
    talk.zeroize()
    talk.say((C.PROVISION, PROVISIONING, E.LOCKED))
    talk.provision(FIRST)
    talk.say((C.PROVE, bytes(16), E.CONFLICT), talk.status(LOCKED_STATE, talk.used + FORMAT, erases=1))
    return talk


def public_keys_of_low_order() -> Conversation:
    """Send all public keys of low order to a blank unit and to a bound one: each uses up the unit's pair."""
    talk = Conversation()
    publics = [u for low in LOW_ORDER for u in (low, with_top_bit(low))]
    for public in publics:
        talk.refuse_public_key(public)
    talk.say((C.PROVE, bytes(16), E.CONFLICT))
    talk.provision(FIRST)
    for public in publics:
        talk.refuse_public_key(public)
    talk.open_session()
    return talk


def joining_keys() -> Conversation:
    """Make two joining keys, and use the second, after a restart, by a package."""
    talk = Conversation()
    talk.make_joining_key()
    void = talk.joining_key
    talk.say(talk.status(BLANK_STATE, FORMAT + PAIR))
    talk.make_joining_key()
    talk.say(talk.status(BLANK_STATE, 2 * FORMAT + PAIR, erases=1))
    talk.restart()
    package = sealed(talk.joining_key, MEMBER)
    refuse_packages(talk, package, void)
    talk.provision_sealed(FIRST)
    again = (C.PROVISION_SEALED, FIRST.secret + package[:90], E.PROVISIONED), (C.JOINING_KEY, b"", E.PROVISIONED)
    talk.say(*again, talk.status(LOCKED_STATE, talk.used + FORMAT, erases=2))
    talk.open_session()
    talk.say(*again, talk.status(UNLOCKED_STATE, talk.used + FORMAT, erases=2))
    talk.greet()
    talk.zeroize()
    talk.open_anonymously()
    talk.say((C.PROVISION_SEALED, FIRST.secret + package, E.NO_JOINING_KEY))
    return talk


def refuse_packages(talk: Conversation, package: bytes, void: bytes) -> None:
    """Send packages that the unit refuses; `void` is an earlier joining key."""
    pair, common_lane = talk.joining_key, MEMBER.replace(OWN_LANE.to_bytes(2), bytes(2), 1)
    requests = [
        *((package[:size], E.PACKAGE) for size in (0, 32, OVERHEAD - 1, OVERHEAD, len(package) - 1)),
        *((altered(package, position), E.PACKAGE) for position in (0, 32, len(package) - 17, -16, -1)),
        (package + b"\0", E.PACKAGE),
        (with_top_bit(package[:32]) + package[32:], E.PACKAGE),
        (sealed(void, MEMBER), E.PACKAGE),
        (sealed(bytes(32), MEMBER), E.PACKAGE),
        *((u + package[32:], E.PUBLIC_KEY) for low in LOW_ORDER for u in (low, with_top_bit(low))),
        (bytes(OVERHEAD - 1), E.PACKAGE),
        (sealed(pair, b""), E.BAD_REQUEST),
        (sealed(pair, MEMBER[:-1]), E.BAD_REQUEST),
        (sealed(pair, MEMBER + b"\0"), E.BAD_REQUEST),
        (sealed(pair, common_lane), E.RANGE),
        (sealed(pair, MEMBER[:-2] + b"\3\0"), E.RANGE),
    ]
    talk.say((C.PROVISION_SEALED, FIRST.secret + package[:90], E.LOCKED))
    talk.open_anonymously()
    talk.say((C.PROVISION_SEALED, FIRST.secret[1:], E.BAD_REQUEST))
    talk.say(*((C.PROVISION_SEALED, FIRST.secret + sent, error) for sent, error in requests))


def altered(package: bytes, position: int) -> bytes:
    changed = bytearray(package)
    changed[position] ^= 0x10
    return bytes(changed)


def erased_joining_keys() -> Conversation:
    """Erase a joining key by PROVISION, by ZEROIZE and by an opened case; none of these needs the snapshot files."""
    talk = Conversation()
    talk.set_files(writable=False)
    talk.make_joining_key()
    package = sealed(talk.joining_key, MEMBER)
    talk.provision(FIRST)
    talk.set_files(writable=True)
    no_key = (C.PROVISION_SEALED, FIRST.secret + package, E.NO_JOINING_KEY)
    talk.zeroize()
    talk.open_anonymously()
    talk.say(no_key)
    talk.make_joining_key()
    package = sealed(talk.joining_key, MEMBER)
    talk.zeroize()
    talk.open_anonymously()
    talk.say((C.PROVISION_SEALED, FIRST.secret + package, E.NO_JOINING_KEY))
    talk.make_joining_key()
    talk.set_case(is_open=True)
    talk.say((C.JOINING_KEY, b"", E.TAMPERED))
    talk.be_erased()
    talk.is_tampered = True
    talk.greet()
    talk.say((C.JOINING_KEY, b"", E.TAMPERED), (C.PROVISION_SEALED, FIRST.secret, E.TAMPERED))
    return talk


def opened_case_of_a_blank_unit() -> Conversation:
    """Open the case in an anonymous session: nothing is erased, so the session goes on, and refuses what matters."""
    talk = Conversation()
    talk.open_anonymously()
    talk.set_case(is_open=True)
    talk.is_tampered = True
    talk.say(
        (C.PROVISION, PROVISIONING, E.TAMPERED), (C.JOINING_KEY, b"", E.TAMPERED), (C.OPEN_SESSION, OPENING, E.TAMPERED)
    )
    talk.greet()
    return talk


def torn_joining_key(*, provisions: bool) -> tuple[Conversation, Flash]:
    """Start with a part of a joining key, of which only a power cut can be the cause: the next command erases it."""
    flash = Flash()
    flash.append(STATE_FORMAT, state_format(0))
    flash.append(JOINING_KEY, joining_pair(bytes(range(32))))
    flash.nvm[FORMAT + 80 : FORMAT + PAIR] = b"\xff" * (PAIR - 80)
    talk = Conversation()
    talk.open_anonymously()
    talk.say(talk.status(BLANK_STATE, FORMAT + PAIR), (C.PROVISION_SEALED, FIRST.secret, E.NO_JOINING_KEY))
    if provisions:
        talk.provision(FIRST)
        talk.say(talk.status(LOCKED_STATE, talk.used + FORMAT, erases=1))
    else:
        talk.make_joining_key()
        talk.say(talk.status(BLANK_STATE, 2 * FORMAT + PAIR, erases=1))
    return talk, flash


def with_new_unit(talk: Callable[[], Conversation]) -> Callable[[], tuple[Conversation, None]]:
    return lambda: (talk(), None)


JOINING: dict[str, Callable[[], tuple[Conversation, Flash | None]]] = {
    **{
        talk.__name__: with_new_unit(talk)
        for talk in (
            anonymous_sessions,
            public_keys_of_low_order,
            joining_keys,
            erased_joining_keys,
            opened_case_of_a_blank_unit,
        )
    },
    "torn joining key, then PROVISION": lambda: torn_joining_key(provisions=True),
    "torn joining key, then JOINING_KEY": lambda: torn_joining_key(provisions=False),
}
