# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The comparison of both ends finds each thing that may be wrong with messages."""

import pytest

from .account import Comparison, compare, parse_received, parse_sent

_SENT = ["? 4:1:aa", "! 4:1:aa 8", "? 4:2:bb", "? 4:3:cc", "! 4:3:cc 10"]  # the second was never answered
_RIGHT = ["1 4 8 message 4:1:aa", "2 4 9 message 4:2:bb", "3 4 10 message 4:3:cc"]


def compared(received: list[str], sent: list[str] = _SENT, last: int = 10) -> Comparison:
    return compare({4: parse_sent(sent, before=7, last=last)}, {5: parse_received(received)})


def test_all_that_was_stored_came_once_and_in_order():
    comparison = compared(_RIGHT)
    assert comparison.findings == []
    assert (comparison.accepted, comparison.unanswered, comparison.delivered, comparison.again) == (2, 1, 3, 0)


def test_the_last_message_may_come_again_until_it_is_confirmed():
    comparison = compared([_RIGHT[0], _RIGHT[0], *_RIGHT[1:]])
    assert (comparison.findings, comparison.delivered, comparison.again) == ([], 3, 1)


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        ("lost", _RIGHT[:2]),
        ("lost", [_RIGHT[0], _RIGHT[2]]),
        ("passed", [_RIGHT[0], _RIGHT[2]]),
        ("lost", [*_RIGHT[:2], "3 4 10 lost 10"]),
        ("twice", [*_RIGHT, "4 4 10 message 4:3:cc"]),
        ("twice", [*_RIGHT, _RIGHT[0]]),
        ("disordered", ["1 4 9 message 4:2:bb", "2 4 8 message 4:1:aa", _RIGHT[2]]),
        ("disordered", ["1 4 8 message 4:2:bb", "2 4 9 message 4:1:aa", _RIGHT[2]]),
        ("disordered", ["1 4 8 message 4:1:aa", "2 4 9 message 4:1:aa", _RIGHT[2]]),
        ("disordered", [*_RIGHT[:2], "3 4 10 late 4:3:cc"]),
        ("strange", [*_RIGHT, "4 4 11 message 4:4:dd"]),
        ("strange", [*_RIGHT[:2], "3 4 10 message 4:3:ee"]),
        ("strange", [*_RIGHT, "4 5 1 message 5:1:ff"]),
        ("strange", [_RIGHT[0], "1 4 8 message 4:2:bb", *_RIGHT[1:]]),
    ],
)
def test_what_is_wrong_is_found(wrong: str, received: list[str]):
    assert getattr(compared(received), wrong)


def test_an_accepted_message_whose_number_another_has_is_lost():
    sent = [*_SENT, "? 4:4:dd", "! 4:4:dd 10"]
    assert compared(_RIGHT, sent).lost
    assert compared(_RIGHT, sent).strange


def test_a_message_that_is_not_the_same_everywhere_is_found():
    other = parse_received([*_RIGHT[:1], "2 4 9 message 4:2:be", _RIGHT[2]])
    sent = {4: parse_sent([*_SENT, "? 4:2:be"], 7, 10)}
    assert compare(sent, {5: parse_received(_RIGHT), 6: other}).strange
