# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts at every step of flash of every command that writes, and a second cut during the next start.

The state afterwards is the old or the new one, and no message number is issued twice. test_binding_cuts.py and
test_erasure_*.py test BIND, ZEROIZE and the case.
"""

from bisect import bisect_left
from collections.abc import Callable

import pytest
from hosts.sessions import SHARE
from support.power_cuts import PowerCuts

from firmware.life import SENDERS, Life, Operation, member
from ndks_protocol import commands, errors
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash.records import BODY, BOOTS, EXPORT_COUNTER, MEMBERSHIP, TAIL, plausible

JUMP_RECORD, WINDOW_RECORD, NUMBERS_RECORD, SHORTEST = 112, 80, 48, 32  # sizes in the log in bytes
STRANGER = 4


def provision(life: Life) -> None:
    life.start()
    if not life.firmware.state.binding:
        life.host.provision()


def only_start(life: Life) -> None:
    life.start()


def only_unlock(life: Life) -> None:
    life.open()


def step(life: Life) -> None:
    life.open()
    life.acknowledge(11)


def jump(life: Life) -> None:
    life.open()
    life.acknowledge(15)


def seal(life: Life) -> None:
    """Seal the first message after a start, which reserves a block of numbers."""
    life.open()
    life.seal()


def unplug(life: Life) -> None:
    seal(life)
    life.ask(commands.CLOSE, 1)


def accept(life: Life) -> None:
    life.open()
    life.accept(SENDERS[0], 12)


def accept_from_a_stranger(life: Life) -> None:
    life.open()
    life.accept(STRANGER, 5)


def trust(life: Life) -> None:
    life.open()
    life.ask(commands.TRUST, SENDERS[1], bytes(range(16)))


def distrust(life: Life) -> None:
    life.open()
    life.ask(commands.TRUST, SENDERS[0], bytes(16))


def prove_wrongly(life: Life) -> None:
    """Send one wrong proof, even if a cut repeats this step."""
    life.start()
    if life.firmware.state.session.wrong_attempts:
        return
    life.ask(commands.HELLO)
    life.ask(commands.OPEN_SESSION, *SHARE)
    with pytest.raises(errors.UnitError, match="LOCKED"):
        life.ask(commands.PROVE, bytes(16))


def after_a_wrong_proof() -> Life:
    life = member()
    prove_wrongly(life)
    return life


def zeroized() -> Life:
    life = member(1)
    life.start()
    life.ask(commands.ZEROIZE, commands.CONFIRMATION, life.unit.board.uid)
    life.given.clear()
    return life


def with_all_starts_counted() -> Life:
    """Return a unit whose start counter has a full tail."""
    life = member()
    life.start()
    while life.firmware.state.log._tails[BOOTS][0] != life.firmware.state.log._tails[BOOTS][1]:
        life.start()
    return life


def with_all_steps_counted() -> Life:
    life = member()
    life.open()
    while life.firmware.state.log._tails[EXPORT_COUNTER][0] != life.firmware.state.log._tails[EXPORT_COUNTER][1]:
        life.acknowledge(life.firmware.state.member.exports.next)
    return life


def step_on(life: Life) -> None:
    life.open()
    life.acknowledge(10 + TAIL)


def with_a_damaged_membership() -> Life:
    """Return a unit with an intact membership in a snapshot only, and the newest counter in nvm only."""
    life = member(1)
    life.open()
    for index in range(11, 16):
        life.acknowledge(index)
    nvm = life.unit.flash.nvm.content
    (membership_at,) = [at for at in range(0, NVM_SIZE - BODY, 16) if (plausible(nvm, at) or b" ")[0] == MEMBERSHIP]
    nvm[membership_at + BODY] ^= 1
    return life


def compaction_cut(steps_later: int, compactions: int) -> Callable[[], Life]:
    """Return a function that makes a unit whose compaction was cut this many steps after the erase of nvm began."""

    def make() -> Life:
        life = member(compactions, JUMP_RECORD)

        def cut(steps: int) -> Life:
            cut = life.clone()
            assert not cut.unit.power.survives(steps, lambda: jump(cut))
            return cut

        def has_begun(steps: int) -> bool:
            return cut(steps).unit.flash.nvm.erases > life.unit.flash.nvm.erases

        begins = bisect_left(range(life.steps_of(jump)), True, key=has_begun)
        found = cut(begins + steps_later)
        found.burnt_blocks += 1
        return found

    return make


HALF_ERASED, HALF_BLANK, ALL_BLANK, HALF_PROGRAMMED = 0, 1, 2, 500  # steps after the erase of nvm began


CASES: dict[str, tuple[Callable[[], Life], Operation]] = {
    "PROVISION": (Life, provision),
    "PROVISION after ZEROIZE": (zeroized, provision),
    "a start": (member, only_start),
    "a start, counter full": (with_all_starts_counted, only_start),
    "a start, log full": (lambda: member(1, SHORTEST), only_start),
    "ACKNOWLEDGE, a step": (member, step),
    "ACKNOWLEDGE, a step, counter full": (with_all_steps_counted, step_on),
    "ACKNOWLEDGE, a jump": (member, jump),
    "ACKNOWLEDGE, into the first snapshot": (lambda: member(0, JUMP_RECORD), jump),
    "ACKNOWLEDGE, into the second snapshot": (lambda: member(1, JUMP_RECORD), jump),
    "ACKNOWLEDGE, over a snapshot": (lambda: member(2, JUMP_RECORD), jump),
    "numbers reserved": (member, seal),
    "numbers reserved, compaction": (lambda: member(1, NUMBERS_RECORD), seal),
    "CLOSE, unplugged": (member, unplug),
    "CLOSE, unplugged, compaction": (lambda: member(2, 2 * NUMBERS_RECORD), unplug),
    "ACCEPT": (member, accept),
    "ACCEPT, compaction": (lambda: member(1, WINDOW_RECORD), accept),
    "ACCEPT, a new sender": (member, accept_from_a_stranger),
    "ACCEPT, a new sender, compaction": (lambda: member(2, WINDOW_RECORD), accept_from_a_stranger),
    "TRUST": (member, trust),
    "TRUST, compaction": (lambda: member(1, SHORTEST), trust),
    "TRUST, no longer": (member, distrust),
    "PROVE, wrong": (member, prove_wrongly),
    "PROVE, right after wrong": (after_a_wrong_proof, only_unlock),
    "UNLOCK, nvm half erased": (compaction_cut(HALF_ERASED, 1), only_unlock),
    "UNLOCK, nvm erased in one half": (compaction_cut(HALF_BLANK, 0), only_unlock),
    "UNLOCK, nvm erased": (compaction_cut(ALL_BLANK, 1), only_unlock),
    "UNLOCK, nvm half programmed": (compaction_cut(HALF_PROGRAMMED, 1), only_unlock),
    "ACCEPT, nvm erased": (compaction_cut(ALL_BLANK, 2), accept),
    "UNLOCK, a record damaged": (with_a_damaged_membership, only_unlock),
}
cases = pytest.mark.parametrize("case", CASES)


@cases
def test_a_cut_at_every_step(case: str, power_cuts: PowerCuts) -> None:
    make, operation = CASES[case]
    for cut in power_cuts.check(make(), operation, at_most=200)[::20]:
        operation(cut)
        if cut.firmware.state.binding:
            cut.live()


@cases
def test_every_pair_of_cuts(case: str, power_cuts: PowerCuts) -> None:
    make, operation = CASES[case]
    life = make()
    life.unit.power.fine = False
    power_cuts.check_pairs(life, operation, at_most=300)


def test_compactions_are_cut_where_they_are_meant_to_be() -> None:
    """The cuts leave nvm in each of the four intermediate states that UNLOCK may find."""
    nvm = {later: bytes(compaction_cut(later, 1)().unit.flash.nvm.content) for later in (0, 1, 2, 500)}
    assert all(byte | 0x55 == byte for byte in nvm[HALF_ERASED])
    assert nvm[HALF_ERASED].strip(b"\xff")
    assert nvm[HALF_BLANK][: NVM_SIZE // 2].strip(b"\xff") == b"" != nvm[HALF_BLANK].strip(b"\xff")
    assert nvm[ALL_BLANK] == b"\xff" * NVM_SIZE
    assert plausible(nvm[HALF_PROGRAMMED], 0)
    assert 200 < len(nvm[HALF_PROGRAMMED].rstrip(b"\xff")) < 500


def test_damage_is_no_reason_to_erase() -> None:
    life = with_a_damaged_membership()
    old, erases = life.look(), life.unit.flash.nvm.erases
    only_unlock(life)
    assert life.look() == old
    assert life.unit.flash.nvm.erases == erases


@pytest.mark.parametrize("steps_later", [HALF_ERASED, ALL_BLANK, HALF_PROGRAMMED])
def test_a_snapshot_that_is_the_only_copy_is_not_overwritten(steps_later: int, power_cuts: PowerCuts) -> None:
    """After the first cut one snapshot has the only copy; further cuts occur during the repair, with a full log."""
    life = compaction_cut(steps_later, 2)()
    life.unit.power.fine = False
    for once in power_cuts.cuts(life, only_unlock, at_most=10):
        once.open()
        while once.firmware.state.log.size - once.firmware.state.log.used >= JUMP_RECORD:
            once.acknowledge(once.firmware.state.member.exports.next + 1)
        old, index = once.look(), once.firmware.state.member.exports.next + 1

        def jump_on(life: Life, index: int = index) -> None:
            life.open()
            life.acknowledge(index)

        for twice in power_cuts.cuts(once, jump_on, at_most=15):
            assert twice.look() in (old, old._replace(next_index=index + 1))


# Selection of the newest snapshot


LARGE = 0x0100_0000  # this index has the bytes of a record header: type 01, size 0000, a sequence number


@pytest.mark.parametrize("first", [0x60, 0xA0])
def test_body_that_reads_like_a_record_makes_no_snapshot_the_newest(first: int, power_cuts: PowerCuts) -> None:
    """If an old snapshot was taken for the newest, the unit would issue indices twice."""
    life = member(fine=False)
    life.open()
    life.ask(commands.ACKNOWLEDGE, 0, LARGE + first - 1, 1)
    life.firmware.state.log.compact()
    life.acknowledge(LARGE + 0x1FF)
    life.firmware.state.log.compact()
    while life.firmware.state.log.size - life.firmware.state.log.used >= JUMP_RECORD:
        life.acknowledge(life.firmware.state.member.exports.next + 1)
    index = life.firmware.state.member.exports.next + 1
    old = life.look()

    def jump_on(life: Life) -> None:
        life.open()
        life.acknowledge(index)

    for cut in power_cuts.cuts(life, jump_on, at_most=1000):
        assert cut.look() in (old, old._replace(next_index=index + 1))
