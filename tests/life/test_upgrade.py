# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units and laptops of firmware 0.2.0 go on after the upgrade, from recorded flash and files.

That firmware spoke protocol 2.0. State in flash and the files of a laptop are those of before; only sessions differ.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from support.public_network import public_network
from support.reference import flash_images

from ndks.exceptions import DeviceError
from ndks_protocol import commands

from .desk import Desk
from .flash_view import FlashView, look
from .model import BLOCK
from .packages import join_by, package_for

RECORDED = json.loads((Path(__file__).parents[1] / "firmware/images/format_3.json").read_text())
STAGES: dict[str, dict[str, Any]] = RECORDED["stages"]
NETWORK = public_network()
MEMBERS = ["used", "wrong attempts", "compacted", "interrupted binding"]
LONG_MS = 61_000  # no delay after wrong proofs is longer


def upgraded(directory: Path, stage: str) -> Desk:
    """Return a desk with the unit and the laptop of that stage, after the new firmware has started."""
    desk = Desk(directory, random.Random(1), fine=False)
    assert desk.unit.board.uid.hex() == RECORDED["uid"]
    for name, text in STAGES[stage]["laptop"].items():
        path = desk.store.directory / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)
        path.chmod(0o600)
    nvm, *snapshots = flash_images(STAGES[stage]["flash"])
    desk.put_back([*snapshots, nvm])
    desk.power_up()
    desk.unit.clock.milliseconds += LONG_MS
    return desk


def seen(desk: Desk, salt: str = "") -> FlashView:
    own = desk.binding_of("A", bytes.fromhex(salt)) if salt else b""
    return look(desk.images(), [binding for binding in (*desk.bindings, own) if binding])


@pytest.mark.parametrize("stage", MEMBERS)
def test_binding_of_a_laptop_opens_the_unit(stage: str, tmp_path: Path) -> None:
    desk = upgraded(tmp_path, stage)
    hello = desk.greeted().hello
    assert (hello.major, hello.state, hello.state_format, hello.flags) == (3, "locked", 3, [])
    assert desk.run(lambda host: host.status(unlock=False).wrong_attempts, None) == STAGES[stage].get(
        "wrong_attempts", 0
    )
    next_index = STAGES[stage].get("next_index", 0)
    assert not next_index or desk.run(lambda host: host.next_index(), None) == (0, next_index)
    status = desk.run(lambda host: host.status(), None)
    assert (status.state, status.lane, status.network, status.wrong_attempts) == ("provisioned", 7, NETWORK.name, 0)
    desk.run(lambda host: host.bind(), None)
    assert seen(desk, hello.salt).is_settled


def test_counters_and_windows_go_on(tmp_path: Path) -> None:
    desk, used = upgraded(tmp_path, "used"), STAGES["used"]
    before = desk.run(lambda host: host.status().message_counter, None)
    assert used["message_counter"] <= before <= used["message_counter"] + BLOCK
    sealed = desk.run(lambda host: host.seal(b"after the upgrade"), None)
    assert desk.run(lambda host: host.status().message_counter, None) == before + 1
    assert sealed[: commands.WIRE_HEADER_SIZE] not in [
        bytes.fromhex(old)[: commands.WIRE_HEADER_SIZE] for old in used["sealed"]
    ]
    received = bytes.fromhex(used["received"])
    assert desk.run(lambda host: host.unseal(received, again=True), None) == b"from a peer"
    assert refusal(desk, lambda host: host.unseal(received)) == "DUPLICATE"
    view = seen(desk, desk.greeted().hello.salt)
    assert view.trusted == {used["trusted"][0]: bytes.fromhex(used["trusted"][1])}
    assert desk.run(lambda host: host.next_key(128).index, None) == used["next_index"]


def test_transport_code_binds_a_unit_that_was_provisioned_before(tmp_path: Path) -> None:
    desk = upgraded(tmp_path, "provisioned")
    code = bytes.fromhex(STAGES["provisioned"]["code"])
    desk.run(lambda host: host.bind(code), None)
    assert desk.run(lambda host: host.status().lane, None) == 7


def test_other_laptops_stay_refused(tmp_path: Path) -> None:
    desk = upgraded(tmp_path, "used")
    desk.here = "B"
    assert refusal(desk, lambda host: host.unlock()) == "LOCKED"


@pytest.mark.parametrize("stage", ["erased", "tampered"])
def test_unit_that_is_not_a_member_joins_by_a_package(stage: str, tmp_path: Path) -> None:
    desk = upgraded(tmp_path, stage)
    if stage == "tampered":
        assert refusal(desk, lambda host: host.joining_key()) == "TAMPERED"
        desk.run(lambda host: host.zeroize(), None)
    public = desk.run(lambda host: host.joining_key(), None)
    desk.run(join_by(package_for(NETWORK, 8, public, bytes(range(32)))), None)
    desk.run(lambda host: host.bind(desk.bindings[-1]), None)
    assert desk.run(lambda host: host.status().lane, None) == 8


@pytest.mark.parametrize("stage", STAGES)
def test_a_start_changes_nothing_but_the_number_of_starts(stage: str, tmp_path: Path) -> None:
    """So that the firmware of before could still read it."""
    nvm, *snapshots = flash_images(STAGES[stage]["flash"])
    desk = upgraded(tmp_path, stage)
    *kept, after = desk.images()
    assert kept == snapshots
    changed = [place for place, (old, new) in enumerate(zip(nvm, after, strict=True)) if old != new]
    assert all(nvm[place] == 0xFF for place in changed)
    assert len(changed) <= 32 + 64


def refusal(desk: Desk, operation: Any) -> str:
    with pytest.raises(DeviceError) as refused:
        desk.run(operation, None)
    return refused.value.code
