# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts during an erasure."""

import struct
from itertools import takewhile

import flash_reference
import pytest
from support.power_cuts import PowerCuts
from support.reference import flash_images, load_vectors

from firmware.erasures import CAUSES, all_secrets, check_erased, has_begun, is_marked, tamper, zeroize
from firmware.life import Life, View, member
from ndks_unit.flash import records


def check_cut(before: Life, old: View, cut: Life, tampered: bool, secrets: set[bytes]) -> None:
    """Check that the unit is unchanged before the marker is sufficient, and that later starts complete the erasure."""
    begun = has_begun(cut.flash, tampered) or cut.flash.images[1:] != before.flash.images[1:]
    if begun or cut.ended:
        check_erased(cut, tampered, secrets)
    else:
        assert cut.look() == old


@CAUSES
@pytest.mark.parametrize("compactions", [0, 2])
def test_a_cut_at_every_step(tampered: bool, compactions: int, power_cuts: PowerCuts) -> None:
    life = member(compactions)
    secrets, old = all_secrets(life), life.look()
    cuts = list(power_cuts.cuts(life, tamper if tampered else zeroize, at_most=150))
    for cut in cuts:
        check_cut(life, old, cut, tampered, secrets)
    assert cuts[-1].ended


@CAUSES
def test_a_second_cut_while_the_erasure_is_finished(tampered: bool, power_cuts: PowerCuts) -> None:
    """The case is closed again and no host connects; the start alone completes the erasure."""
    life = member(1, fine=False)
    secrets = all_secrets(life)
    for cut in power_cuts.cuts(life, tamper if tampered else zeroize, at_most=20):
        if not is_marked(cut.flash, tampered):
            continue
        for twice in power_cuts.cuts(cut, Life.start, at_most=20, first=cut.steps_of(Life.start) // 2):
            check_erased(twice, tampered, secrets)


@CAUSES
def test_a_torn_marker_and_another_cut(tampered: bool, power_cuts: PowerCuts) -> None:
    """The first cut tears the marker; the repeated erasure completes."""
    erase = tamper if tampered else zeroize
    life = member(1)
    secrets, old = all_secrets(life), life.look()
    cuts = power_cuts.cuts(life, erase, at_most=1000)
    once = next(cut for cut in cuts if cut.flash.nvm.content[-32:].strip(b"\xff"))
    assert not is_marked(once.flash, tampered)
    assert once.look() == old
    once.unit.power.fine = False
    for twice in power_cuts.cuts(once, erase, at_most=100):
        check_cut(once, old, twice, tampered, secrets)


@CAUSES
def test_a_torn_marker_of_the_other_cause(tampered: bool, power_cuts: PowerCuts) -> None:
    """What counts is why the erasure was begun that completes; the tags of the two causes share no byte."""
    erase, other = (tamper, zeroize) if tampered else (zeroize, tamper)
    life = member(1)
    secrets, old = all_secrets(life), life.look()
    cuts = takewhile(lambda cut: not has_begun(cut.flash, not tampered), power_cuts.cuts(life, other, at_most=1000))
    *_, torn = cuts
    assert torn.flash.nvm.content[-32:].strip(b"\xff")
    torn.unit.power.fine = False
    for cut in power_cuts.cuts(torn, erase, at_most=50):
        check_cut(torn, old, cut, tampered, secrets)


@CAUSES
def test_after_the_next_start_nothing_else_is_in_flash(tampered: bool, power_cuts: PowerCuts) -> None:
    """Only the number of erases may be one higher."""
    life = member(1, fine=False)
    why = {records.TAMPERED: b"\1"} if tampered else {}
    bodies = [{records.STATE_FORMAT: flash_reference.state_format(erases), **why} for erases in (2, 3)]
    for cut in power_cuts.cuts(life, tamper if tampered else zeroize, at_most=1000):
        if has_begun(cut.flash, tampered) or cut.flash.images[1:] != life.flash.images[1:]:
            cut.start()
            nvm, *snapshots = cut.flash.images
            assert nvm[-32:] == b"\xff" * 32
            assert all(image == flash_reference.snapshot(image) for image in snapshots)
            assert all(bodies_in(image) in bodies for image in (nvm, *snapshots))


def bodies_in(image: bytes) -> dict[int, bytes]:
    """Return the bodies of an image, which must have at most four plain records, intact or torn."""
    found: dict[int, bytes] = {}
    assert image[4 * 32 : -32].strip(b"\xff") == b""
    for offset in range(0, 4 * 32, 16):
        kind, size, sequence = struct.unpack_from(">BHI", image, offset)
        body = image[offset + 24 :][:size]
        if kind >= 0xF0 and image[offset:].startswith(flash_reference.record(kind, sequence, body)):
            found[kind] = body
    return found


@CAUSES
def test_published_erasures_are_finished(tampered: bool) -> None:
    vector = load_vectors("flash")["interrupted_erasures"]["by_tampering" if tampered else "on_purpose"]
    life = Life()
    life.flash.images = flash_images(vector["before"])
    life.start()
    assert life.flash.images == flash_images(vector["after"])
