# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The dispatcher: every request has one answer, whatever is in it and whatever goes wrong."""

import copy
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from firmware.exchange import answer, answers, ask
from firmware.member import membership, named
from firmware.memory_board import MemoryBoard
from ndks_protocol import commands, errors, framing
from ndks_protocol.flash import NVM_SIZE
from ndks_unit import device, exported_keys, records
from ndks_unit import unit as dispatcher
from ndks_unit.record_log import RecordLog
from ndks_unit.unit import Unit

CONVERSATION = load_vectors("commands")


@pytest.fixture(scope="module")
def provisioned() -> MemoryBoard:
    board = MemoryBoard()
    ask(board, Unit(board), commands.PROVISION, *membership())
    return board


class PredictableBoard(MemoryBoard):
    """Its random bytes are those that the conversation says."""

    def entropy(self, size: int) -> bytes:
        entropy = bytes.fromhex(CONVERSATION["entropy"])
        assert len(entropy) == size
        return entropy


def test_published_conversation() -> None:
    board = PredictableBoard(bytes.fromhex(CONVERSATION["uid"]))
    unit = Unit(board)
    for step in CONVERSATION["steps"]:
        frame = answer(board, unit, step["command"], bytes.fromhex(step["request"]))
        if "error" in step:
            assert (frame.kind, int.from_bytes(frame.payload)) == (framing.ERROR, step["error"]), step
        else:
            assert (frame.kind, frame.payload.hex()) == (step["command"] | framing.ANSWER, step["answer"]), step


def test_the_published_conversation_holds_all_commands() -> None:
    asked = {step["command"] for step in CONVERSATION["steps"] if "answer" in step}
    assert asked == set(commands.TABLE)


def test_every_command_has_a_handler() -> None:
    assert set(dispatcher._HANDLERS) == set(commands.TABLE)


@pytest.mark.parametrize("failure", [ValueError, MemoryError, RuntimeError, OSError, KeyError])
def test_an_unknown_exception_becomes_a_code_without_text(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(unit: Unit, *values: object) -> tuple[Any, ...]:
        raise failure("the secret is 0001020304")

    board = copy.deepcopy(provisioned)
    unit = Unit(board)
    monkeypatch.setitem(dispatcher._HANDLERS, commands.KEY_CHUNK.code, fail)
    frame = answer(board, unit, commands.KEY_CHUNK.code, commands.KEY_CHUNK.request.pack(0, 1, 0, 32))
    assert (frame.kind, frame.payload) == (framing.ERROR, struct.pack(">H", errors.INTERNAL))
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 1)


def test_an_answer_that_does_not_fit_its_layout_is_internal(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = copy.deepcopy(provisioned)
    monkeypatch.setitem(dispatcher._HANDLERS, commands.NEXT_INDEX.code, lambda unit: (0, -1))
    with pytest.raises(errors.UnitError, match="INTERNAL"):
        ask(board, Unit(board), commands.NEXT_INDEX)


def test_nvm_that_cannot_be_written_is_storage() -> None:
    board = MemoryBoard()
    unit = Unit(board)
    board.nvm.worn_out = True
    with pytest.raises(errors.UnitError, match="STORAGE"):
        ask(board, unit, commands.PROVISION, *membership())
    assert named(commands.STATUS.answer, ask(board, unit, commands.STATUS))["state"] == commands.STATE_BLANK

    board.nvm.worn_out = False
    ask(board, unit, commands.PROVISION, *membership())
    board.nvm.worn_out = True
    for unit_now in (unit, Unit(board)):
        with pytest.raises(errors.UnitError, match="STORAGE"):
            ask(board, unit_now, commands.ACKNOWLEDGE, 0, 1, 0)
        assert ask(board, unit_now, commands.NEXT_INDEX) == (0, 1)


def test_keys_can_be_read_when_nothing_can_be_written(provisioned: MemoryBoard) -> None:
    """The membership lies in a snapshot alone; nvm is worn out and the drive has become read-only."""
    board = copy.deepcopy(provisioned)
    expected = ask(board, Unit(board), commands.KEY_CHUNK, 0, 1, 0, 32)
    board.snapshots[0] = board.nvm.content
    board.nvm.content = bytearray(b"\xf0" * NVM_SIZE)
    board.nvm.worn_out = True
    board.drive_is_writable = False
    unit = Unit(board)
    assert ask(board, unit, commands.KEY_CHUNK, 0, 1, 0, 32) == expected
    with pytest.raises(errors.UnitError, match="STORAGE"):
        ask(board, unit, commands.ACKNOWLEDGE, 0, 1, 0)
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 1)


def test_a_key_set_up_that_failed_half_way_is_not_mixed_with_the_next(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = copy.deepcopy(provisioned)
    unit = Unit(board)
    expected = ask(board, Unit(board), commands.KEY_CHUNK, 0, 2, 0, 32)
    ask(board, unit, commands.KEY_CHUNK, 0, 1, 0, 32)
    with monkeypatch.context() as patch:
        patch.setattr(exported_keys, "export_mask_key", lambda *_: [].pop())
        with pytest.raises(errors.UnitError, match="INTERNAL"):
            ask(board, unit, commands.KEY_CHUNK, 0, 2, 0, 32)
    assert ask(board, unit, commands.KEY_CHUNK, 0, 2, 0, 32) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        *({"lane": 0}, {"suite": 2}, {"cipher": 2}, {"digits": 0}, {"digits": 13}),
        *({"network": "x" * 33}, {"network": "\u00e9" * 17}),
        *({"f1": 3}, {"f2": 3}, {"f1": 255}, {"f1": 2, "p1": "1000.1"}),
        *({"p1": "0"}, {"p2": "0.000"}, {"p1": ""}, {"p2": "1e3"}, {"p1": "9" * 81}, {"p2": "\u0661"}),
    ],
)
def test_a_membership_out_of_range_changes_nothing(wrong: dict[str, Any]) -> None:
    board = MemoryBoard()
    unit = Unit(board)
    fields = named(commands.PROVISION.request, membership()) | wrong
    with pytest.raises(errors.UnitError, match="RANGE"):
        ask(board, unit, commands.PROVISION, *fields.values())
    assert board.nvm.content == b"\xff" * NVM_SIZE
    ask(board, unit, commands.PROVISION, *membership())


def test_the_state_of_a_newer_firmware_is_left_alone(provisioned: MemoryBoard) -> None:
    board = copy.deepcopy(provisioned)
    newer = bytes((device.CURRENT_FORMAT + 1,))
    RecordLog(board).append(records.STATE_FORMAT, newer + b"and more")
    before = bytes(board.nvm.content)
    unit = Unit(board)

    assert named(commands.HELLO.answer, ask(board, unit, commands.HELLO))["state_format"] == newer[0]
    assert named(commands.STATUS.answer, ask(board, unit, commands.STATUS))["network"] == ""
    for command, values in _valid_requests().items():
        with pytest.raises(errors.UnitError, match="STATE_FORMAT"):
            ask(board, unit, command, *values)
    assert (board.nvm.content, board.nvm.erases) == (before, 0)


def test_the_state_of_a_newer_firmware_is_left_alone_in_a_snapshot(provisioned: MemoryBoard) -> None:
    """As after a cut in the newer firmware's compaction, whose records this one may not even know."""
    board = copy.deepcopy(provisioned)
    RecordLog(board).append(records.STATE_FORMAT, bytes((device.CURRENT_FORMAT + 1,)))
    board.snapshots[0] = board.nvm.content
    board.nvm.content = bytearray(b"\xff" * NVM_SIZE)
    unit = Unit(board)
    assert unit.log.format > device.CURRENT_FORMAT
    assert board.nvm.content == b"\xff" * NVM_SIZE


@pytest.mark.parametrize("is_member", [False, True])
@given(code=st.integers(0, 255), payload=st.binary(max_size=300))
def test_any_request_is_answered(provisioned: MemoryBoard, is_member: bool, code: int, payload: bytes) -> None:
    _answer_known(copy.deepcopy(provisioned) if is_member else MemoryBoard(), code, payload)


@pytest.mark.parametrize("is_member", [False, True])
@given(data=st.data())
def test_any_values_are_answered(provisioned: MemoryBoard, is_member: bool, data: st.DataObject) -> None:
    """As above, with payloads that fit the layouts, so that handlers see them."""
    board = copy.deepcopy(provisioned) if is_member else MemoryBoard()
    command = data.draw(st.sampled_from(sorted(commands.TABLE.values(), key=lambda command: command.code)))
    values = [data.draw(_VALUES[kind]) for kind in command.request.kinds]
    _answer_known(board, command.code, command.request.pack(*values))


@given(noise=st.binary(max_size=1500), cut=st.integers(0, 1500))
def test_after_any_noise_the_next_request_is_answered(provisioned: MemoryBoard, noise: bytes, cut: int) -> None:
    board = copy.deepcopy(provisioned)
    unit = Unit(board)
    answers(board, unit, noise[:cut])
    answers(board, unit, noise[cut:] + b"\0")
    assert ask(board, unit, commands.NEXT_INDEX)[0] == 0


def test_hello_ends_nothing_but_the_parser(provisioned: MemoryBoard) -> None:
    board = copy.deepcopy(provisioned)
    unit = Unit(board)
    ask(board, unit, commands.ACKNOWLEDGE, 0, 1, 0)
    ask(board, unit, commands.HELLO)
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 2)


_EDGES = st.sampled_from([0, 1, 2, 3, 12, 13, 255])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "u8": _EDGES,
    "u16": _EDGES | st.sampled_from([1024, 1025, 65535]),
    "u32": _EDGES | st.integers(0, (1 << 32) - 1),
    "u64": _EDGES | st.integers(0, (1 << 64) - 1) | st.sampled_from([(1 << 48) - 1, (1 << 37) - 1, 1 << 48, 1 << 37]),
    "b8": st.binary(min_size=8, max_size=8),
    "b32": st.binary(min_size=32, max_size=32),
    "b37": st.binary(min_size=37, max_size=37) | st.binary(min_size=36, max_size=36).map(lambda rest: b"\1" + rest),
    "rest": st.binary(max_size=1040),
    "text": st.sampled_from(["0.52", "25", "-3.5", "0", "", "x", "9" * 80, "9" * 81]) | st.text(max_size=40),
}


def _answer_known(board: MemoryBoard, code: int, payload: bytes) -> None:
    unit = Unit(board)
    frame = answer(board, unit, code, payload)
    if frame.kind == framing.ERROR:
        assert len(frame.payload) == 2
        assert int.from_bytes(frame.payload) in set(errors.TABLE) - {errors.INTERNAL}
    else:
        commands.TABLE[code].answer.unpack(frame.payload)
    ask(board, unit, commands.STATUS)
    Unit(board)


def _valid_requests() -> dict[commands.Command, tuple[Any, ...]]:
    return {
        commands.PROVISION: membership(),
        commands.NEXT_INDEX: (),
        commands.KEY_CHUNK: (0, 1, 0, 32),
        commands.ACKNOWLEDGE: (0, 1, 0),
    }
