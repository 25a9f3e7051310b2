# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The order of requests: classes, fairness by the unit's time, one turn in eight, the end."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.emulate_process import PATIENCE

from ndks.service.order import CLASSES, TURNS, Job, Order
from ndks_protocol import commands, service


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def job(client: str, order: int, name: str = "") -> Job:
    return Job(commands.STATUS, name.encode(), client, order, lambda _: None)


def taken(order: Order) -> Job:
    found = order.take(0, 0)
    assert found
    return found


def test_the_lowest_class_goes_first() -> None:
    order = Order(Now())
    for number in (2, 0, 3, 1):
        order.put(job("a", number))
    assert [taken(order).order for _ in range(4)] == [0, 1, 2, 3]
    assert order.take(0, 0) is None


def test_one_client_is_served_in_the_order_of_its_requests() -> None:
    order = Order(Now())
    for name in "xyz":
        order.put(job("a", 2, name))
    again = taken(order)
    order.put(again, again=True)
    assert [taken(order).payload for _ in range(3)] == [b"x", b"y", b"z"]


def test_the_client_that_used_least_of_the_last_second_goes_first() -> None:
    now = Now()
    order = Order(now)
    for client in ("greedy", "modest"):
        for _ in range(4):
            order.put(job(client, 2))
    order.used("greedy", 0.3)
    order.used("modest", 0.1)
    assert taken(order).client == "modest"
    order.used("modest", 0.3)
    assert taken(order).client == "greedy"
    now.time += 1.1  # long ago for both: the one that waits longest
    order.used("greedy", 0.1)
    assert taken(order).client == "modest"


@given(st.lists(st.integers(0, CLASSES - 1), min_size=1), st.randoms(use_true_random=False))
def test_a_class_that_waits_gets_one_turn_in_eight(present: list[int], rng: random.Random) -> None:
    order = Order(Now())
    present = sorted(set(present))
    waited = dict.fromkeys(present, 0)
    for number in present:
        order.put(job(str(number), number))
    for _ in range(100):
        turn = taken(order).order
        waited = {number: 0 if number == turn else turns + 1 for number, turns in waited.items()}
        assert max(waited.values()) < TURNS
        order.put(job(str(turn), turn))


def test_no_more_at_the_unit_than_allowed() -> None:
    order = Order(Now())
    for _ in range(4):
        order.put(job("a", 2))
    assert order.take(1, 0)
    assert order.take(2, 0) is None
    order.at_once = 1
    assert order.take(1, 0) is None
    assert order.take(0, 0)


def test_old_jobs_and_those_of_a_client_that_left() -> None:
    now = Now()
    order = Order(now)
    order.put(job("a", 2, "old"))
    now.time += 1
    order.put(job("a", 2, "new"))
    order.put(job("b", 3))
    assert [each.payload for each in order.older_than(1.0)] == [b"old"]
    order.forget("a")
    order.used("a", 1.0)  # of a request that was at the unit
    order.put(job("a", 2), again=True)  # its session was lost
    assert taken(order).client == "b"
    assert order.take(0, 0) is None


def test_a_thread_waits_for_a_job_and_for_the_end() -> None:
    order, found = Order(), []

    def take() -> None:
        found.append(order.take(0, 10))
        order.pause(10)

    thread = threading.Thread(target=take)
    thread.start()
    order.put(job("a", 2))
    outcomes: list[object] = []
    order.put(Job(commands.STATUS, b"", "a", 3, outcomes.append))
    assert [each.order for each in order.close()] in ([3], [2, 3])
    thread.join(PATIENCE)
    assert not thread.is_alive()
    order.put(Job(commands.STATUS, b"", "a", 3, outcomes.append))
    assert outcomes == [service.NO_UNIT]


def test_a_job_shows_no_payload() -> None:
    assert "secret" not in repr(job("a", 2, "secret"))


@pytest.mark.parametrize("number", range(CLASSES))
def test_a_class_alone_is_served_at_once(number: int) -> None:
    order = Order(Now())
    for _ in range(20):
        order.put(job("a", number))
    assert [taken(order).order for _ in range(20)] == [number] * 20
