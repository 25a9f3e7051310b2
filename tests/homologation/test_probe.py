# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The probe of the cages finds and reports every reachable host."""

from ndks_laboratory.stages.probe import Doors, knock_everywhere


def test_all_kinds_of_doors_are_reached_in_one_namespace() -> None:
    with Doors() as doors:
        knocks = knock_everywhere(doors.describe())
    reached = {knock.door for knock in knocks if knock.answered}
    assert {"tcp 127.0.0.1", "udp 127.0.0.1", "unix abstract"} <= reached


def test_nobody_answers_when_the_doors_are_closed() -> None:
    with Doors() as doors:
        description = doors.describe()
    assert not any(knock.answered for knock in knock_everywhere(description))


def test_an_answer_with_another_token_is_none() -> None:
    with Doors() as doors:
        knocks = knock_everywhere(doors.describe() | {"token": bytes(16).hex()})
    assert knocks
    assert not any(knock.answered for knock in knocks)
