# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages between agents: each once, in order, asked for when missing, named when lost (PROTOCOL.md section 12)."""

import itertools

import pytest
from support.agents import Host, administrator, joined, talk

from ndks.agent import Limits
from ndks.agent.events import Delivered, Lost, Why
from ndks.agent.inbox import Known
from ndks.agent.packets import Ask, Report, Voucher, digest_of, parse_housekeeping
from ndks.exceptions import UsageError
from ndks_protocol.wire import HOUSEKEEPING, MESSAGE, MONITOR


def pair(limits: Limits | None = None, count: int = 2) -> list[Host]:
    return joined(administrator(), count, limits)


def words(receiver: Host, packets: list[bytes]) -> list[object]:
    """Return what is between hosts in these packets."""
    opened = [receiver.unit.open(packet) for packet in packets if packet[0] == 1 and len(packet) != 78]
    return [parse_housekeeping(capsule.data) for capsule in opened if capsule.kind == HOUSEKEEPING]


def say(sender: Host, body: Report | Voucher | Ask, lane: int = 0) -> bytes:
    return sender.unit.seal(HOUSEKEEPING, body.packed(), lane)[0]


def test_in_order_and_once() -> None:
    sender, receiver = pair()
    packets = [packet for text in (b"a", b"b", b"c") for packet in sender.send(text)]
    receiver.receive(packets[2], packets[0], packets[0])
    assert receiver.delivered == [(4, 1, b"a")]
    receiver.receive(packets[1], packets[2], packets[1])
    assert receiver.delivered == [(4, 1, b"a"), (4, 2, b"b"), (4, 3, b"c")]
    assert not sender.delivered


def test_the_content_of_a_message_goes_with_it() -> None:
    sender, receiver = pair()
    for packet in sender.agent.send(b"\x01\x00", 1).packets:
        receiver.receive(packet)
    assert receiver.events[-1] == Delivered(4, 1, 1, b"\x01\x00")


def test_a_message_has_a_longest_size() -> None:
    sender, _ = pair(Limits(message=5))
    sender.send(b"12345")
    with pytest.raises(UsageError, match="at most 5 bytes"):
        sender.send(b"123456")
    assert sender.agent.outbox.last == 1


@pytest.mark.parametrize("content", [-1, 2, 256])
def test_a_content_that_is_none_is_refused_before_it_is_stored(content: int) -> None:
    sender, receiver = pair()
    with pytest.raises(UsageError, match=f"no content {content} of a message"):
        sender.agent.send(b"x", content)
    receiver.receive(*sender.send(b"y"))
    assert receiver.delivered == [(4, 1, b"y")]


def test_a_message_is_sent_once_and_again_when_asked_for_but_not_within_16_ticks() -> None:
    sender, receiver = pair()
    (capsule,) = sender.send(b"a")
    asked = say(receiver, Ask(4, (1, 2)))
    assert sender.receive(asked) == []
    sender.ticks(15)
    assert sender.receive(asked) == []
    sender.ticks(1)
    assert sender.receive(asked) == [capsule]
    assert sender.receive(asked) == []
    assert sender.receive(say(receiver, Ask(8, (1,)))) == []  # of another lane


def test_reports_thin_out() -> None:
    sender, receiver = pair()
    sender.ticks(300)
    sender.send(b"a")
    at = [tick for tick in range(1, 500) if Report(1, 1, ((0, 1),)) in words(receiver, sender.ticks(1))]
    assert at == [4, 12, 28, 60, 124, 252, 380]
    assert not words(receiver, receiver.ticks(20))  # who has sent nothing reports nothing


def test_a_report_shows_what_is_missing_and_z_ticks_later_it_is_asked_for() -> None:
    sender, receiver = pair()
    sender.send(b"a")
    sender.send(b"b")
    receiver.receive(say(sender, Report(1, 2, ((0, 1),))))
    asks = [(tick, word) for tick in range(1, 400) for word in words(sender, receiver.ticks(1))]
    ticks = [tick for tick, _ in asks]
    assert {word for _, word in asks} == {Ask(4, (1, 2))}
    assert ticks[0] <= 1 + 16
    pauses = [after - before for before, after in itertools.pairwise(ticks)]
    assert pauses == [min(8 << step, 128) for step in range(len(pauses))]


def test_a_sender_that_answers_is_asked_again_soon() -> None:
    """z ticks after the last ask, when any message came that was asked for, and not the lowest one only."""
    sender, receiver = pair()
    capsules = [packet for number in range(3) for packet in sender.send(b"%d" % number)]
    receiver.receive(say(sender, Report(1, 3, ((0, 1),))))
    asked: list[int] = []
    for tick in range(1, 400):
        said = words(sender, receiver.ticks(1))
        asked += [tick] * len(said)
        if said and len(asked) in (3, 6):  # the lowest one is lost again and again
            receiver.receive(capsules[len(asked) // 3])
    pauses = [later - tick for tick, later in itertools.pairwise(asked)]
    assert pauses[:2] == [8, 16]
    assert 1 <= pauses[2] <= 16
    assert pauses[3:5] == [8, 16]
    assert 1 <= pauses[5] <= 16
    assert pauses[6:] == [8, 16, 32, 64, 128]


def test_lost_messages_come_when_asked_for() -> None:
    sender, receiver = pair()
    sender.send(b"a")
    sender.send(b"b")
    talk([sender, receiver], 60)
    assert receiver.delivered == [(4, 1, b"a"), (4, 2, b"b")]
    assert not receiver.lost


def test_one_ask_names_at_most_32() -> None:
    sender, receiver = pair()
    receiver.receive(say(sender, Report(1, 100, ((0, 1),))))
    (ask,) = words(sender, receiver.ticks(17))[:1]
    assert ask == Ask(4, tuple(range(1, 33)))


def test_what_passes_is_said_so() -> None:
    sender, receiver = pair()
    message = sender.agent.send(b"a")
    assert (len(message.packets), message.passing) == (1, set())
    output = sender.agent.tick(4)
    assert words(receiver, output.packets) == [Report(1, 1, ((0, 1),))]
    assert output.passing == set(output.packets)


def test_the_outbox_keeps_the_last_capsules_and_reports_say_so() -> None:
    sender, receiver = pair(Limits(keep=3))
    capsules = [packet for number in range(5) for packet in sender.send(b"%d" % number)]
    assert words(receiver, sender.ticks(4)) == [Report(3, 5, ((0, 3),))]
    sender.ticks(16)
    assert sender.receive(say(receiver, Ask(4, (1, 2, 3)))) == [capsules[2]]
    receiver.receive(capsules[4], say(sender, Report(3, 5, ((0, 3),))))
    assert receiver.lost == [Lost(4, 1, 2, Why.NOT_KEPT)]
    assert receiver.delivered == []  # 3 and 4 can still come
    receiver.receive(capsules[3], capsules[2])
    assert [s for _, s, _ in receiver.delivered] == [3, 4, 5]


def test_what_was_lost_and_comes_all_the_same_is_late() -> None:
    sender, receiver = pair()
    capsules = [packet for number in range(3) for packet in sender.send(b"%d" % number)]
    receiver.receive(capsules[2], say(sender, Report(3, 3, ((0, 3),))))
    assert receiver.lost == [Lost(4, 1, 2, Why.NOT_KEPT)]
    receiver.receive(capsules[0])
    receiver.receive(say(sender, Report(3, 3, ((0, 3),))))
    assert receiver.events[-2:] == [Delivered(4, 3, 0, b"2"), Delivered(4, 1, 0, b"0", late=True)]
    assert len(receiver.lost) == 1


def test_what_was_named_as_lost_is_late_even_if_nothing_after_it_came() -> None:
    sender, receiver = pair()
    (first,) = sender.send(b"a")
    receiver.receive(say(sender, Report(2, 1, ())), first)
    assert receiver.events[1:] == [Lost(4, 1, 1, Why.NOT_KEPT), Delivered(4, 1, 0, b"a", late=True)]


def test_numbers_above_the_last_report_wait_for_the_next() -> None:
    sender, receiver = pair()
    sender.send(b"a")
    (second,) = sender.send(b"b")
    receiver.receive(say(sender, Report(1, 0, ())))
    receiver.receive(second)
    assert list(receiver.agent.missing(4)) == [(1, 1)]
    receiver.receive(say(sender, Report(1, 2, ((5, 1), (0, 2)))))  # it was in a generation that is not held
    assert receiver.lost == [Lost(4, 1, 1, Why.GENERATION)]
    assert receiver.delivered == [(4, 2, b"b")]


def test_an_older_report_takes_nothing_back() -> None:
    sender, receiver = pair()
    receiver.receive(say(sender, Report(5, 9, ((0, 5),))), say(sender, Report(2, 7, ((0, 2),))))
    inbox = receiver.agent.inbox(4)
    assert (inbox.first, inbox.reported, inbox.starts) == (5, 9, ((0, 5),))


def test_a_capsule_of_another_epoch_is_sent_again_after_a_voucher() -> None:
    sender, receiver = pair()
    (capsule,) = sender.send(b"a")
    sender.agent.renew()
    sender.ticks(20)
    answers = sender.receive(say(receiver, Ask(4, (1,))))
    assert answers[1:] == [capsule]
    receiver.receive(answers[0])
    assert words(receiver, answers[:1]) == [Voucher(1, digest_of(capsule))]


def test_a_vouched_capsule_of_an_epoch_that_was_given_up_is_lost() -> None:
    sender, receiver = pair()
    (capsule,) = sender.send(b"a")
    receiver.unit.here.number = receiver.unit.here.low = 5
    receiver.receive(capsule)
    assert not receiver.lost  # whoever repeats an old capsule says nothing about what was sent
    sender.unit.here.number = 5
    receiver.receive(say(sender, Report(1, 1, ((0, 1),))), say(sender, Voucher(1, digest_of(capsule))))
    receiver.receive(capsule, capsule)
    assert receiver.lost == [Lost(4, 1, 1, Why.EPOCH)]
    assert not receiver.agent.missing(4)


def test_a_voucher_for_another_message_or_lane_opens_nothing() -> None:
    sender, receiver, other = pair(count=3)
    (first,) = sender.send(b"a")
    receiver.receive(say(sender, Voucher(2, digest_of(first))), first)
    assert not receiver.delivered
    receiver.receive(say(other, Voucher(1, digest_of(first))), first)
    assert not receiver.delivered
    receiver.receive(say(sender, Voucher(1, digest_of(first))), first)
    assert receiver.delivered == [(4, 1, b"a")]


def test_a_vouched_word_counts_for_nothing() -> None:
    sender, receiver = pair()
    word = say(sender, Report(9, 9, ((0, 9),)))
    receiver.receive(say(sender, Voucher(1, digest_of(word))), word)
    assert receiver.agent.inbox(4).first == 1


def test_vouchers_are_bounded() -> None:
    sender, receiver = pair(Limits(vouchers=3))
    capsules = [packet for number in range(5) for packet in sender.send(b"%d" % number)]
    for s, capsule in enumerate(capsules, 1):
        receiver.receive(say(sender, Voucher(s, digest_of(capsule))))
    assert receiver.store.read("SELECT s FROM vouchers ORDER BY s") == [(3,), (4,), (5,)]


def test_waiting_messages_are_bounded_and_the_highest_is_asked_for_again() -> None:
    sender, receiver = pair(Limits(waiting=2))
    capsules = [packet for number in range(5) for packet in sender.send(b"%d" % number)]
    receiver.receive(*capsules[1:])
    assert sorted(receiver.agent.inbox(4).waiting) == [2, 3]
    assert list(receiver.agent.missing(4)) == [(1, 1), (4, 5)]
    receiver.receive(capsules[0], *capsules[3:])
    assert [s for _, s, _ in receiver.delivered] == [1, 2, 3, 4, 5]


def test_forged_numbers_take_no_memory() -> None:
    sender, receiver = pair()
    highest = (1 << 48) - 1
    receiver.receive(say(sender, Report(1, highest, ((0, 1),))))
    receiver.receive(sender.unit.seal(MESSAGE, highest.to_bytes(6) + b"\0forged")[0])
    assert list(receiver.agent.missing(4)) == [(1, highest - 1)]
    assert words(sender, receiver.ticks(17))[:1] == [Ask(4, tuple(range(1, 33)))]


def test_a_member_that_only_listens_says_nothing() -> None:
    sender, receiver = pair()
    receiver.unit.set_role(MONITOR)
    receiver.tick()
    receiver.receive(say(sender, Report(1, 3, ((0, 1),))), b"\x01" + bytes(80))
    assert receiver.ticks(200) == []


def test_a_new_store_begins_above_the_numbers_of_its_unit() -> None:
    sender, receiver = pair()
    for text in (b"a", b"b"):
        receiver.receive(*sender.send(text))
    own = sender.unit.own_number
    renewed = Host(sender.unit, sender.public)
    receiver.receive(*renewed.send(b"c"), *renewed.ticks(4))
    assert receiver.delivered[-1] == (4, own + 1, b"c")
    assert receiver.lost == ([Lost(4, 3, own, Why.NOT_KEPT)] if own > 2 else [])


def test_a_restored_store_begins_so_too_when_it_is_told() -> None:
    sender, receiver = pair()
    sender.send(b"a")
    sender.unit.own_number += 50  # used after the copy was made
    sender.agent.restored()
    sender.send(b"b")
    assert sender.agent.outbox.last == sender.unit.own_number
    assert words(receiver, sender.ticks(4)) == [Report(52, 52, ((0, 52),))]


def test_capsules_of_other_programs_are_not_messages() -> None:
    sender, receiver = pair()
    receiver.receive(sender.unit.seal(0, b"a file")[0], sender.unit.seal(MESSAGE, b"short")[0], b"", b"x", b"\x01")
    assert not receiver.delivered


def test_a_text_of_the_size_of_a_beacon() -> None:
    sender, receiver = pair()
    (capsule,) = sender.send(b"12")
    assert len(capsule) == 78
    receiver.receive(capsule)
    assert receiver.delivered == [(4, 1, b"12")]


def test_arrivals_are_there_until_they_are_taken() -> None:
    sender, receiver = pair()
    capsules = [packet for number in range(3) for packet in sender.send(b"%d" % number)]
    receiver.receive(capsules[1], say(sender, Report(2, 3, ((0, 2),))), capsules[2])
    receiver.start()
    arrivals = receiver.agent.arrivals
    lost, second, third = arrivals.after(0, 10)
    assert [event for _, event in (lost, second, third)] == receiver.events[-3:]
    assert arrivals.after(0, 1) == [lost]
    with receiver.store.step():
        arrivals.taken(second[0])
    assert arrivals.after(0, 10) == [third]
    with receiver.store.step():
        arrivals.taken(third[0])
    receiver.receive(*sender.send(b"more"))
    assert arrivals.after(0, 10)[0][0] > third[0]  # no place comes twice


def test_a_step_that_hands_over_late_ones_keeps_exact_accounts() -> None:
    sender, receiver = pair()
    receiver.receive(*sender.send(b"a"))
    assert list(receiver.agent.inbox(4).sets[Known.DELIVERED]) == [(1, 1)]
    receiver.start()
    assert list(receiver.agent.inbox(4).sets[Known.DELIVERED]) == [(1, 1)]


def test_messages_that_wait_cost_no_time():
    """With 30,000 that wait, to seal one reads as little of the store as with none."""
    sender, _ = pair()
    steps = [_steps_of_a_send(sender)]
    with sender.store.step():
        for _ in range(30_000):
            sender.agent.outbox.add(0, b"text")
    steps.append(_steps_of_a_send(sender))
    assert steps[1] < 2 * steps[0] + 20, steps


def _steps_of_a_send(sender: Host) -> int:
    """Return how many hundreds of steps SQLite's machine takes to store a message, seal one, and report."""
    steps = [0]

    def count() -> None:
        steps[0] += 1

    sender.store._base.set_progress_handler(count, 100)
    answers = iter([True])
    sender.agent._station.may_seal = lambda: next(answers, False)
    sender.send(b"text")
    sender.agent.outbox.report()
    sender.store._base.set_progress_handler(None, 0)
    return steps[0]
