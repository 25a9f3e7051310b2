# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The requests of a command: one HELLO, and no repeated request."""

import errno
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.watched_line import CutLine, watch_lines, wrap_lines
from unit.other_member import OtherMember

import ndks
from ndks_protocol import commands

OPENING = ["HELLO", "OPEN_SESSION", "PROVE", "UNLOCK", "STATUS", "NEXT_INDEX"]


@pytest.mark.parametrize(
    ("command", "requests"),
    [
        (["key"], ["NEXT_INDEX", "KEY_CHUNK", "ACKNOWLEDGE"]),
        (["key", "--index", 7], ["KEY_CHUNK"]),
        (["info"], ["NEXT_INDEX"]),
        (["eject"], []),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_requests_of_a_command(
    command: list[object], requests: list[str], alice: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watch_lines(monkeypatch)
    assert call(*command, "--unit", alice).status == 0
    assert asked == [*OPENING, *requests, "CLOSE"]


def test_info_of_a_blank_unit(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    port = f"emulator:{tmp_path / 'blank'}"
    ndks.open(port, create=True).close()
    asked = watch_lines(monkeypatch)
    assert call("info", "--unit", port).status == 0
    assert asked == ["HELLO", "STATUS"]


def test_each_session_has_a_greeting_of_its_own(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = watch_lines(monkeypatch)
    with ndks.open(alice) as unit:
        for _ in range(2):
            unit.unlock()
            unit.eject()
    assert asked.count("HELLO") == asked.count("OPEN_SESSION") == 2


def test_a_unit_that_has_started_again_is_greeted_once_more(alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is still connected, but the unit has lost its session state."""
    asked = watch_lines(monkeypatch)
    with ndks.open(alice) as unit:
        transport: Any = unit._link._transport
        transport._line.unit._firmware = None
        assert unit.next_index() == (0, 1)
    assert asked[:4] == ["HELLO", "OPEN_SESSION", "HELLO", "OPEN_SESSION"]


def fail_to_store(taking: AbstractContextManager[Any]) -> object:
    """Read the taken key, then fail; return the key."""
    taken: list[object] = []

    def store() -> None:
        with taking as something:
            taken.append(something.read())
            raise OSError(errno.ENOSPC, "disk full")

    with pytest.raises(OSError, match="disk full"):
        store()
    return taken[0]


def test_a_key_that_was_not_stored_is_not_used_up(alice: str) -> None:
    with ndks.open(alice) as unit:
        first = fail_to_store(unit.taking_key(256))
        with unit.taking_key(256) as key:
            assert key.read() == first
        with unit.taking_key(256, 9, use_up=False) as key:
            assert (key.index, b"".join(key.blocks(16))) == (9, unit.key(9, 256).data[16:])
        assert unit.next_index() == (0, 2)


@pytest.mark.parametrize(("advice", "words"), [("", "ndks key --index 1 --advance"), ("tell Bob", "tell Bob")])
def test_what_helps_when_the_unit_did_not_hear_of_it(
    advice: str, words: str, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap_lines(monkeypatch, lambda line: CutLine(line, commands.ACKNOWLEDGE, heard=False))
    with ndks.open(alice) as unit, pytest.raises(ndks.UnitRemoved) as removed, unit.taking_key(256, advice=advice):
        pass
    assert words in removed.value.advice


def test_a_message_that_was_not_stored_can_be_opened_again(alice: str, network: ndks.Network, tmp_path: Path) -> None:
    capsule = tmp_path / "letter.ndks"
    capsule.write_bytes(OtherMember(network, 9).seal(b"letter"))
    with ndks.open(alice) as unit:
        assert fail_to_store(unit.taking_message(capsule)) == b"letter"
        with unit.taking_message(capsule):
            pass  # the message is not read
        with unit.taking_message(capsule) as message:
            assert message.read() == b"letter"
            assert message.unsealed
            assert message.unsealed.lane == 9
        with pytest.raises(ndks.DeviceError) as refused, unit.taking_message(capsule) as message:
            message.read()
        assert refused.value.code == "DUPLICATE"
