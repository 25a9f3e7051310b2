# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compares what programs have sent with what programs have received: lost, twice, out of order, or never sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from .programs import ANSWERED, ASKED


class Arrival(NamedTuple):
    """A line of a receiver: message `s` of a lane; `place` is by what it is confirmed."""

    place: int
    lane: int
    s: int
    kind: str
    text: str


@dataclass(frozen=True)
class Sent:
    """What a sender has written, and the agent's count: messages `before` + 1 to `last` are its own."""

    before: int
    last: int
    offered: Sequence[str]
    accepted: Sequence[tuple[int, str]]


@dataclass
class Comparison:
    """How many messages there were, and what is wrong with them."""

    accepted: int = 0  # the sender has the agent's word
    unanswered: int = 0  # stored, but the agent was killed before it said so
    delivered: int = 0  # at all receivers
    again: int = 0  # given again to a receiver that had not confirmed it
    lost: list[str] = field(default_factory=list[str])
    passed: list[str] = field(default_factory=list[str])  # of these, what can be on its way no more: later ones came
    twice: list[str] = field(default_factory=list[str])
    disordered: list[str] = field(default_factory=list[str])
    strange: list[str] = field(default_factory=list[str])  # never sent so

    @property
    def findings(self) -> list[str]:
        return [*self.lost, *self.twice, *self.disordered, *self.strange]


def parse_sent(lines: Iterable[str], before: int, last: int) -> Sent:
    """Read what `programs.send` has written."""
    words = [line.split(" ") for line in lines]
    accepted = [(int(each[2]), each[1]) for each in words if each[0] == ANSWERED]
    return Sent(before, last, [each[1] for each in words if each[0] == ASKED], accepted)


def parse_received(lines: Iterable[str]) -> list[Arrival]:
    """Read what `programs.receive` has written."""
    words = (line.split(" ") for line in lines)
    return [Arrival(int(place), int(lane), int(s), kind, text) for place, lane, s, kind, text in words]


def compare(sent: Mapping[int, Sent], received: Mapping[int, Sequence[Arrival]]) -> Comparison:
    """Compare senders with receivers, both by their lanes; each receiver hears all senders but itself."""
    result = Comparison()
    for lane, each in sent.items():
        result.accepted += len(each.accepted)
        result.unanswered += each.last - each.before - len(each.accepted)
        numbers = [s for s, _ in each.accepted]
        result.strange += [f"{lane}: {s} was given twice, or not counted" for s in _misused(each, numbers)]
    texts: dict[tuple[int, int], str] = {}
    for lane, arrivals in received.items():
        once = _without_repeats(lane, arrivals, result)
        for sender in sent.keys() - {lane}:
            _compare_pair(f"{sender} to {lane}", sent[sender], [each for each in once if each.lane == sender], result)
        for each in once:
            if texts.setdefault((each.lane, each.s), each.text) != each.text:
                result.strange.append(f"message {each.s} of {each.lane} is not the same everywhere")
            if each.lane == lane or each.lane not in sent:
                result.strange.append(f"{lane} received a message of {each.lane}")
    return result


def _misused(sent: Sent, numbers: Sequence[int]) -> list[int]:
    return [s for s in numbers if not sent.before < s <= sent.last or numbers.count(s) > 1]


def _without_repeats(lane: int, arrivals: Sequence[Arrival], result: Comparison) -> list[Arrival]:
    """Leave out what came again because it was not confirmed: only the last one may, and it must be the same."""
    once: list[Arrival] = []
    for arrival in arrivals:
        if once and arrival.place < once[-1].place:
            result.twice.append(f"at {lane}, after its confirmation: {arrival}")
        elif once and arrival.place == once[-1].place:
            result.again += 1
            if arrival != once[-1]:
                result.strange.append(f"at {lane}, changed when it came again: {arrival}")
            continue
        once.append(arrival)
    return once


def _compare_pair(names: str, sent: Sent, arrivals: Sequence[Arrival], result: Comparison) -> None:
    messages = [each for each in arrivals if each.kind != "lost"]
    numbers = [each.s for each in messages]
    there, expected = set(numbers), set(range(sent.before + 1, sent.last + 1))
    result.delivered += len(there)
    result.passed += [f"{names}: {s}" for s in sorted(expected - there) if s < max(there, default=0)]
    texts = {each.text for each in messages}
    result.lost += [f"{names}: {s}" for s in sorted(expected - there)]
    result.lost += [f"{names}: {s}, {text}" for s, text in sent.accepted if text not in texts and s in there]
    result.lost += [f"{names}: {each.s} to {each.text}, named as lost" for each in arrivals if each.kind == "lost"]
    result.twice += [f"{names}: {s}" for s in sorted(there) if numbers.count(s) > 1]
    result.disordered += [f"{names}: {each.s} is late" for each in messages if each.kind != "message"]
    result.disordered += [f"{names}: {later} after {s}" for s, later in pairwise(numbers) if later < s]
    result.disordered += _turned(names, sent, messages)
    offered, accepted = set(sent.offered), {text: s for s, text in sent.accepted}
    for s, text in {each.s: each.text for each in messages}.items():
        if s not in expected or text not in offered or accepted.get(text, s) != s:
            result.strange.append(f"{names}: {s} is {text}, which was not sent so")


def _turned(names: str, sent: Sent, messages: Sequence[Arrival]) -> list[str]:
    """Compare with the order in which the program sent, whatever the agent's numbers say."""
    places = {text: place for place, text in enumerate(sent.offered)}
    known = [(places[each.text], each.text) for each in messages if each.text in places]
    texts = [f"{names}: {text} before {earlier}" for (at, text), (before, earlier) in pairwise(known) if before < at]
    doubled = len(known) - len({text for _, text in known})
    return texts + [f"{names}: {doubled} texts under several numbers"] * bool(doubled)
