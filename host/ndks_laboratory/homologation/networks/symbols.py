# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Three states: 0, 1 and nothing reach the others, and a nothing costs no key."""

from collections.abc import Iterator

from ndks import Symbols
from ndks_laboratory.outcome import Check

from .checks import held
from .scene import Scene

SYMBOLS = 1  # the content of such messages
_BITS = "1011001011010001"
_SILENCE = 1 << 62
_COST = 10  # bytes: the count of nothings, and one more count of bits


def symbols(scene: Scene) -> Iterator[Check]:
    """Send bits with and without a long silence between them."""
    table = scene.table
    sender, *others = table.present
    spoken, silent = Symbols.parse(2 * _BITS), Symbols.of_runs([(0, _BITS), (_SILENCE, _BITS)])
    sizes = [_sent(scene, symbols.coded) for symbols in (spoken, silent)]
    for coded in (spoken.coded, silent.coded):
        table.until(lambda coded=coded: all(coded in other.texts(sender.lane) for other in others), "symbols come")
    came = [event for other in others for event in other.arrived if event.data == silent.coded]
    yield held("0, 1 and nothing reach all others", all(event.content == SYMBOLS for event in came))
    heard = Symbols.decode(came[0].data)
    counts = heard.nothings, heard.bits
    yield held("a silence of 2^62 is as long on the other side", counts == (_SILENCE, 2 * len(_BITS)))
    yield held(
        "it costs no key but that of its count, and sends no coded zeros",
        sizes[1] - sizes[0] <= _COST,
        f"{sizes[1] - sizes[0]} bytes",
    )


def _sent(scene: Scene, coded: bytes) -> int:
    """Send symbols, and return the size of their capsule."""
    before = len(scene.table.recording)
    scene.table.send(scene.table.present[0], coded, SYMBOLS)
    return len(scene.table.recording[before])
