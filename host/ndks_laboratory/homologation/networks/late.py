# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages that come late, in another order, or never: delivered once and in order, or named as lost."""

from collections.abc import Iterator

from ndks.agent.events import Lost
from ndks_laboratory.outcome import Check

from .checks import held
from .member import KEPT, Member
from .scene import Scene
from .table import HOLD, LOSE, Table

_HELD, _LOST = 3, 3  # messages of each kind
_NEVER = 4  # more messages than the sender's agent keeps


def late(scene: Scene) -> Iterator[Check]:
    """Hold messages back, lose some, have a member miss an epoch, and have messages be forgotten."""
    table = scene.table
    sender, receiver = table.present[:2]
    yield _after(scene, HOLD, "held back and reversed", _HELD)
    yield _after(scene, LOSE, "lost on the channel", _LOST)
    yield from _absent(scene, sender, receiver)
    yield from _never(scene, sender, receiver)


def _after(scene: Scene, channel: str, what: str, count: int) -> Check:
    """Make messages go wrong on the channel, and wait until they have come all the same."""
    table = scene.table
    table.channel = channel
    texts = _say(table, table.present, what, count)
    table.release()
    table.until(lambda: _have(table, texts), f"messages that were {what} come")
    return held(f"messages that were {what} came, each once and in order", _are_in_order(table, texts))


def _absent(scene: Scene, sender: Member, receiver: Member) -> Iterator[Check]:
    table = scene.table
    scene.leave(receiver)
    table.until_agreed()
    said = _say(table, [sender], "in the first epoch", 1)[sender.lane]
    for epoch in ("second", "third"):
        table.publish(sender, _renewed(table, sender))
        said += _say(table, [sender], f"in the {epoch} epoch", 1)[sender.lane]
    texts = {sender.lane: said}
    scene.come_back(receiver)
    table.until(lambda: _have(table, texts), "who was away gets what was said")
    yield held("who was away gets messages of three epochs", _are_in_order(table, texts))


def _renewed(table: Table, member: Member) -> list[bytes]:
    """Renew once the pause between two renewals is over."""
    table.pause()
    return member.renew()


def _never(scene: Scene, sender: Member, receiver: Member) -> Iterator[Check]:
    table = scene.table
    before = len(receiver.lost)
    table.channel = LOSE
    texts = _say(table, [sender], "never to come", KEPT + _NEVER)[sender.lane]
    table.release()
    kept = {sender.lane: texts[_NEVER:]}
    table.until(lambda: _have(table, kept) and len(receiver.lost) > before, "what is lost is named")
    named = sum(lost.last - lost.first + 1 for lost in receiver.lost[before:] if _is_of(lost, sender))
    words = f"{named} of {_NEVER} messages that their sender keeps no longer"
    yield held("messages that can never come are named as lost, and no others", named == _NEVER, words)


def _is_of(lost: Lost, sender: Member) -> bool:
    return lost.lane == sender.lane


def _say(table: Table, members: list[Member], what: str, count: int) -> dict[int, list[bytes]]:
    texts = {member.lane: [f"{what}, {number}".encode() for number in range(count)] for member in members}
    for member in members:
        for text in texts[member.lane]:
            table.send(member, text)
    return texts


def _have(table: Table, texts: dict[int, list[bytes]]) -> bool:
    return all(
        set(said) <= set(member.texts(lane))
        for lane, said in texts.items()
        for member in table.present
        if member.lane != lane
    )


def _are_in_order(table: Table, texts: dict[int, list[bytes]]) -> bool:
    return all(
        [text for text in member.texts(lane) if text in said] == said
        for lane, said in texts.items()
        for member in table.present
        if member.lane != lane
    )
