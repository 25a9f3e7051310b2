# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""BIND with faults: the unit has exactly one binding, and no record remains under the old one."""

import pytest
from hosts.network import BINDING
from life.flash_view import records_under
from support.power_cuts import PowerCuts

from firmware.life import OTHER, THIRD, Life, View, member
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash.records import BINDING as BINDING_RECORD
from ndks_unit.flash.records import BODY, plausible

BINDING_RECORD_SIZE = 96
SITUATIONS = {
    "its first snapshots": member,
    "over older snapshots": lambda: member(2),
    "no room for the commit": lambda: member(1, BINDING_RECORD_SIZE),
    "just room for the commit": lambda: member(2, BINDING_RECORD_SIZE + 32),
}
situations = pytest.mark.parametrize("situation", SITUATIONS)


def bind(life: Life, binding: bytes = OTHER) -> None:
    life.open()
    life.ask(commands.BIND, binding)


def bind_to_third(life: Life) -> None:
    bind(life, THIRD)


def code_of_bind(life: Life) -> int:
    try:
        life.ask(commands.BIND, OTHER)
    except errors.UnitError as error:
        return error.code
    return 0


def bindings_in(life: Life) -> set[bytes]:
    """Return the laptops of all records in flash, including the binding record in the clear."""
    found = {binding for binding in (BINDING, OTHER, THIRD) if records_under(life.flash.images, binding)}
    for binding in (BINDING, OTHER, THIRD):
        if any(BindingKeys(CRYPTO, binding).auth in image for image in life.flash.images):
            found.add(binding)
    return found


def count_and_acknowledge(life: Life) -> int:
    """Acknowledge keys one by one, which appends no record; return the next index."""
    view = life.look()
    life.open()
    for index in range(view.next_index, view.next_index + 3):
        life.acknowledge(index)
    return view.next_index + 3


@situations
def test_nothing_of_the_laptop_before_is_left(situation: str) -> None:
    life = SITUATIONS[situation]()
    assert bindings_in(life) == {BINDING}
    before = life.look()
    bind(life)
    assert bindings_in(life) == {OTHER}
    assert life.look() == before._replace(binding=OTHER)
    life.live()
    assert bindings_in(life) == {OTHER}


def test_search_for_records_finds_all_there_are() -> None:
    life = member(1)
    for image in life.flash.images[:2]:
        kinds = {image[offset] for offset in range(0, NVM_SIZE - BODY, 16) if plausible(image, offset)}
        assert set(records_under(life.flash.images, BINDING)) == {kind for kind in kinds if kind < 0xF0}
    assert BINDING_RECORD not in records_under(life.flash.images, BINDING)


@situations
def test_a_cut_at_every_step(situation: str, power_cuts: PowerCuts) -> None:
    life = SITUATIONS[situation]()
    for cut in power_cuts.check(life, bind, at_most=150):
        if cut.ended:
            assert bindings_in(cut) == {OTHER}


@situations
def test_after_a_cut_everything_works(situation: str, power_cuts: PowerCuts) -> None:
    for cut in power_cuts.cuts(SITUATIONS[situation](), bind, at_most=20):
        cut.live()


@pytest.mark.parametrize("situation", ["its first snapshots", "over older snapshots", "no room for the commit"])
def test_after_a_cut_the_next_session_leaves_nothing_of_the_laptop_before(
    situation: str, power_cuts: PowerCuts
) -> None:
    life = SITUATIONS[situation]()
    life.unit.power.fine = False
    for cut in power_cuts.cuts(life, bind, at_most=10_000):
        if cut.open() == OTHER:
            assert bindings_in(cut) == {OTHER}


@pytest.mark.parametrize("repeat", [bind, bind_to_third], ids=["to the same", "to another"])
@situations
def test_a_second_cut_while_it_is_repeated(situation: str, repeat, power_cuts: PowerCuts) -> None:
    life = SITUATIONS[situation]()
    life.unit.power.fine = False
    power_cuts.check_pairs(life, bind, 150, repeat)


@situations
def test_keys_that_are_acknowledged_between_two_cuts(situation: str, power_cuts: PowerCuts) -> None:
    """A snapshot of the first attempt must not be taken for one of the second."""
    life = SITUATIONS[situation]()
    life.unit.power.fine = False
    for once in power_cuts.cuts(life, bind, at_most=15):
        index = count_and_acknowledge(once)
        for twice in power_cuts.cuts(once, bind_to_third, at_most=15):
            assert twice.look().next_index == index


@situations
def test_a_compaction_after_a_cut(situation: str, power_cuts: PowerCuts) -> None:
    """A snapshot under a failed binding must not be taken for the newest if a compaction is cut too."""

    def compact(life: Life) -> None:
        life.open()
        life.firmware.state.log.compact()

    life = SITUATIONS[situation]()
    life.unit.power.fine = False
    for once in power_cuts.cuts(life, bind, at_most=15):
        index = count_and_acknowledge(once)
        for twice in power_cuts.cuts(once, compact, at_most=15):
            assert twice.look().next_index == index


# Other faults


def failing_at(life: Life, method: str, failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the board fail at the given call of this method and at all later calls."""
    work = getattr(life.unit.board, method)
    calls = 0

    def call(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls >= failing:
            raise OSError("failed")
        return work(*arguments)

    monkeypatch.setattr(life.unit.board, method, call)


def check_it_has_one_state(life: Life, old: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed BIND, keys acknowledged in this run count in the next run, whichever binding is valid."""
    acknowledged = old.next_index - 1
    for binding in (OTHER, BINDING):
        life.unit.clock.milliseconds += 100_000
        try:
            life.host.open(binding)
            life.acknowledge(acknowledged + 1)
        except (errors.UnitError, AssertionError):
            continue
        acknowledged += 1
    monkeypatch.undo()
    assert life.look().next_index == acknowledged + 1
    life.live()


@situations
@pytest.mark.parametrize("method", ["snapshot_write", "nvm_write"])
@pytest.mark.parametrize("still", [True, False], ids=["for good", "for that time"])
def test_bind_that_fails_anywhere(situation: str, method: str, still: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for failing in range(1, 10):
        life = SITUATIONS[situation]()
        old = life.look()
        life.open()
        failing_at(life, method, failing, monkeypatch)
        failed = code_of_bind(life)
        if not still:
            monkeypatch.undo()
        if not failed:
            return
        assert failed in (errors.STORAGE, errors.INTERNAL)
        check_it_has_one_state(life, old, monkeypatch)
    raise AssertionError("BIND writes less often")


def test_commit_whose_padding_did_not_arrive() -> None:
    """The write is refused, but at the next start this record is the newest."""
    life = member()
    old = life.look()
    life.open()
    life.firmware.state.log.compact()  # as BIND does
    life.unit.flash.nvm.stuck.add(life.firmware.state.log.used + BINDING_RECORD_SIZE - 1)
    assert code_of_bind(life) == errors.STORAGE
    found = old.next_index
    try:
        life.open_again()
        life.acknowledge(found)
        found += 1
    except errors.UnitError:
        pass
    assert life.look().next_index == found


def test_unlock_finishes_what_a_cut_has_interrupted_once_there_is_a_drive(power_cuts: PowerCuts) -> None:
    life = member(1)
    life.unit.power.fine = False
    for cut in power_cuts.cuts(life, bind, at_most=40):
        view = cut.look()
        cut.unit.flash.drive_is_writable = False
        assert cut.look() == view
        cut.open()
        cut.unit.flash.drive_is_writable = True
        assert cut.look() == view
        cut.live()


def test_bind_where_the_last_one_could_not_be_finished(power_cuts: PowerCuts) -> None:
    """The drive fails when UNLOCK completes an interrupted BIND, and works again for the next BIND, which is cut."""
    life = member(1)
    life.unit.power.fine = False
    for once in power_cuts.cuts(life, bind, at_most=40):
        view = once.look()
        if view.binding != OTHER:
            continue

        def bind_late(life: Life) -> None:
            life.unit.flash.drive_is_writable = False
            life.open()
            life.unit.flash.drive_is_writable = True
            life.ask(commands.BIND, THIRD)

        for twice in power_cuts.cuts(once, bind_late, at_most=40):
            twice.unit.flash.drive_is_writable = True
            assert twice.look() in (view, view._replace(binding=THIRD))
