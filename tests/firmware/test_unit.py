# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The dispatcher: every request has one answer, whatever is in it and whatever goes wrong."""

import hashlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference import FIRMWARE_OF_VECTORS, load_vectors

from firmware.exchange import answer, answers, ask, open_session
from firmware.member import membership, named
from firmware.memory_board import MemoryBoard
from ndks_protocol import commands, errors, framing
from ndks_protocol.flash import NVM_SIZE
from ndks_unit import device, dispatcher, paper_bits
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash import records
from ndks_unit.flash.records import CURRENT_FORMAT, RecordKeys
from ndks_unit.state import State

CONVERSATION = load_vectors("commands")


@pytest.fixture(scope="module")
def provisioned() -> MemoryBoard:
    board = MemoryBoard()
    ask(board, Dispatcher(board), commands.PROVISION, *membership())
    return board


class PredictableBoard(MemoryBoard):
    """Its random bytes are those that the conversation says."""

    def entropy(self, size: int) -> bytes:
        return bytes.fromhex(CONVERSATION["entropy"])[:size]


def test_published_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is on the line: the sessions in it are somebody else's arithmetic."""
    monkeypatch.setattr(device, "FIRMWARE", FIRMWARE_OF_VECTORS)
    board = PredictableBoard(bytes.fromhex(CONVERSATION["uid"]))
    unit = Dispatcher(board)
    for step in CONVERSATION["steps"]:
        board.clock += step.get("after_ms", 0)
        if step.get("restart"):
            board.start()
            unit = Dispatcher(board)
        sent = bytes.fromhex(step.get("sent", step["request"]))
        (frame,) = answers(board, unit, framing.encode(step["command"], step["request_id"], sent))
        kind, expected = framing.ERROR, f"{step.get('error', 0):04x}"
        if "answer" in step:
            kind, expected = step["command"] | framing.ANSWER, step["answer"]
        got = frame.request_id, frame.kind, bytes(frame.payload).hex()
        assert got == (step["request_id"], kind, step.get("received", expected)), step


def test_the_published_conversation_holds_all_commands() -> None:
    asked = {step["command"] for step in CONVERSATION["steps"] if "answer" in step}
    assert asked == set(commands.TABLE)


def test_every_command_has_a_handler() -> None:
    assert set(dispatcher.HANDLERS) == set(commands.TABLE)


@pytest.mark.parametrize("failure", [ValueError, MemoryError, RuntimeError, OSError, KeyError])
def test_an_unknown_exception_becomes_a_code_without_text(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(state: State, *values: object) -> tuple[Any, ...]:
        raise failure("the secret is 0001020304")

    board = provisioned.clone()
    unit = Dispatcher(board)
    monkeypatch.setitem(dispatcher.HANDLERS, commands.KEY_CHUNK.code, fail)
    with pytest.raises(errors.UnitError, match="INTERNAL"):
        ask(board, unit, commands.KEY_CHUNK, 0, 1, 0, 32)
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 1)
    monkeypatch.setitem(dispatcher.HANDLERS, commands.HELLO.code, fail)
    frame = answer(board, unit, commands.HELLO.code, b"")
    assert (frame.kind, frame.payload) == (framing.ERROR, struct.pack(">H", errors.INTERNAL))


def test_an_answer_that_does_not_fit_its_layout_is_internal(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = provisioned.clone()
    monkeypatch.setitem(dispatcher.HANDLERS, commands.NEXT_INDEX.code, lambda state: (0, -1))
    with pytest.raises(errors.UnitError, match="INTERNAL"):
        ask(board, Dispatcher(board), commands.NEXT_INDEX)


def test_nvm_that_cannot_be_written_is_storage() -> None:
    board = MemoryBoard()
    unit = Dispatcher(board)
    board.nvm.worn_out = True
    with pytest.raises(errors.UnitError, match="STORAGE"):
        ask(board, unit, commands.PROVISION, *membership())
    assert named(commands.STATUS.answer, ask(board, unit, commands.STATUS))["state"] == commands.STATE_BLANK

    board.nvm.worn_out = False
    ask(board, unit, commands.PROVISION, *membership())
    board.nvm.worn_out = True
    for unit_now in (unit, Dispatcher(board)):
        with pytest.raises(errors.UnitError, match="STORAGE"):
            ask(board, unit_now, commands.ACKNOWLEDGE, 0, 1, 0)
        assert ask(board, unit_now, commands.NEXT_INDEX) == (0, 1)


def test_keys_can_be_read_when_nothing_can_be_written(provisioned: MemoryBoard) -> None:
    """The membership lies in a snapshot alone; nvm is worn out and the drive has become read-only."""
    board = provisioned.clone()
    expected = ask(board, Dispatcher(board), commands.KEY_CHUNK, 0, 1, 0, 32)
    _compact(board)
    board.nvm.content[:] = b"\xf0" * NVM_SIZE
    board.nvm.worn_out = True
    board.drive_is_writable = False
    unit = Dispatcher(board)
    assert ask(board, unit, commands.KEY_CHUNK, 0, 1, 0, 32) == expected
    with pytest.raises(errors.UnitError, match="STORAGE"):
        ask(board, unit, commands.ACKNOWLEDGE, 0, 1, 0)
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 1)


def test_a_key_set_up_that_failed_half_way_is_not_mixed_with_the_next(
    provisioned: MemoryBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = provisioned.clone()
    unit = Dispatcher(board)
    expected = ask(board, Dispatcher(board), commands.KEY_CHUNK, 0, 2, 0, 32)
    ask(board, unit, commands.KEY_CHUNK, 0, 1, 0, 32)
    with monkeypatch.context() as patch:
        patch.setattr(paper_bits, "export_mask_key", lambda *_: [].pop())
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
    unit = Dispatcher(board)
    fields = named(commands.PROVISION.request, membership()) | wrong
    with pytest.raises(errors.UnitError, match="RANGE"):
        ask(board, unit, commands.PROVISION, *fields.values())
    assert board.nvm.content == b"\xff" * NVM_SIZE
    ask(board, unit, commands.PROVISION, *membership())


def test_the_state_of_a_newer_firmware_is_left_alone(provisioned: MemoryBoard) -> None:
    board = provisioned.clone()
    _write_format(board, bytes((CURRENT_FORMAT + 1,)) + b"and more")
    before = bytes(board.nvm.content)
    unit = Dispatcher(board)

    hello = named(commands.HELLO.answer, ask(board, unit, commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (CURRENT_FORMAT + 1, commands.NEWER_STATE)
    assert named(commands.STATUS.answer, ask(board, unit, commands.STATUS))["network"] == ""
    for command, values in _valid_requests(board).items():
        assert _code(board, unit, command, *values) == errors.STATE_FORMAT
    unit.poll()
    assert (board.nvm.content, board.nvm.erases) == (before, 0)


@pytest.mark.parametrize("older", [b"\1", b"\2", b"\2and more"])
def test_the_state_of_an_older_firmware_is_left_alone_and_can_be_erased(older: bytes) -> None:
    """Its secrets lie there in the clear: nothing is taken from it but by ZEROIZE."""
    board = MemoryBoard()
    _write_format(board, older)
    before = bytes(board.nvm.content)
    unit = Dispatcher(board)
    hello = named(commands.HELLO.answer, ask(board, unit, commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (older[0], commands.NOT_SEALED)
    erasing = _valid_requests(board).pop(commands.ZEROIZE)
    for command, values in _valid_requests(board).items():
        if command is not commands.ZEROIZE:
            assert _code(board, unit, command, *values) == errors.STATE_FORMAT
    unit.poll()
    assert (board.nvm.content, board.nvm.erases) == (before, 0)
    assert ask(board, unit, commands.ZEROIZE, *erasing) == ()
    hello = named(commands.HELLO.answer, ask(board, unit, commands.HELLO))
    assert (hello["state_format"], hello["flags"]) == (CURRENT_FORMAT, 0)
    ask(board, unit, commands.PROVISION, *membership())
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 1)


def test_an_open_case_erases_what_another_firmware_has_written() -> None:
    """It may hold secrets."""
    for other in (CURRENT_FORMAT - 1, CURRENT_FORMAT + 1):
        board = MemoryBoard()
        _write_format(board, bytes((other,)) + b"and its secret")
        unit = Dispatcher(board)
        board.case_open = True
        unit.poll()
        assert b"and its secret" not in bytes(board.nvm.content)


def test_the_state_of_a_newer_firmware_is_left_alone_in_a_snapshot(provisioned: MemoryBoard) -> None:
    """As after a cut in the newer firmware's compaction, whose records this one may not even know."""
    board = provisioned.clone()
    _write_format(board, bytes((CURRENT_FORMAT + 1,)))
    _compact(board)
    board.nvm.content[:] = b"\xff" * NVM_SIZE
    unit = Dispatcher(board)
    assert unit.state.log.format > CURRENT_FORMAT
    assert board.nvm.content == b"\xff" * NVM_SIZE


@pytest.mark.parametrize("is_member", [False, True])
@given(code=st.integers(0, 255), payload=st.binary(max_size=300))
def test_any_request_is_answered(provisioned: MemoryBoard, is_member: bool, code: int, payload: bytes) -> None:
    _answer_known(provisioned.clone() if is_member else MemoryBoard(), code, payload)


@pytest.mark.parametrize("is_member", [False, True])
@given(data=st.data())
def test_any_values_are_answered(provisioned: MemoryBoard, is_member: bool, data: st.DataObject) -> None:
    """As above, with payloads that fit the layouts, so that handlers see them."""
    board = provisioned.clone() if is_member else MemoryBoard()
    command = data.draw(st.sampled_from(sorted(commands.TABLE.values(), key=lambda command: command.code)))
    values = [data.draw(_VALUES[kind]) for kind in command.request.kinds]
    _answer_known(board, command.code, command.request.pack(*values))


@given(noise=st.binary(max_size=1500), cut=st.integers(0, 1500))
def test_after_any_noise_the_next_request_is_answered(provisioned: MemoryBoard, noise: bytes, cut: int) -> None:
    board = provisioned.clone()
    unit = Dispatcher(board)
    answers(board, unit, noise[:cut])
    answers(board, unit, noise[cut:] + b"\0")
    assert ask(board, unit, commands.NEXT_INDEX)[0] == 0


def test_hello_loses_nothing_but_the_session(provisioned: MemoryBoard) -> None:
    board = provisioned.clone()
    unit = Dispatcher(board)
    ask(board, unit, commands.ACKNOWLEDGE, 0, 1, 0)
    ask(board, unit, commands.HELLO)
    assert unit.state.lifecycle == commands.STATE_LOCKED
    assert ask(board, unit, commands.NEXT_INDEX) == (0, 2)


def test_starts_are_counted_from_the_first_as_a_member_on(provisioned: MemoryBoard) -> None:
    board = provisioned.clone()
    for boots in range(1, 200):
        board.start()
        unit = Dispatcher(board)
        assert named(commands.STATUS.answer, ask(board, unit, commands.STATUS))["boots"] == boots
    assert board.nvm.erases == 0


def test_where_the_log_is_full_starts_are_not_counted_and_nothing_else_is_lost(provisioned: MemoryBoard) -> None:
    board = provisioned.clone()
    unit = Dispatcher(board)
    while unit.state.log.used < unit.state.log.size:
        board.nvm_write(unit.state.log.used, b"\0" * 16)
        unit = Dispatcher(board)
    for _ in range(100):
        board.start()
        unit = Dispatcher(board)
    assert ask(board, unit, commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
    board.start()
    assert ask(board, Dispatcher(board), commands.NEXT_INDEX) == (0, 2)


@pytest.mark.parametrize("reason", range(6))
def test_a_unit_says_why_it_started(provisioned: MemoryBoard, reason: int) -> None:
    board = provisioned.clone()
    board.start(reason)
    assert named(commands.STATUS.answer, ask(board, Dispatcher(board), commands.STATUS))["reset_reason"] == reason


@given(data=st.data())
def test_any_values_are_answered_in_a_session(provisioned: MemoryBoard, data: st.DataObject) -> None:
    board = provisioned.clone()
    unit = Dispatcher(board)
    open_session(board, unit)
    command = data.draw(st.sampled_from(sorted(commands.TABLE.values(), key=lambda command: command.code)))
    try:
        ask(board, unit, command, *[data.draw(_VALUES[kind]) for kind in command.request.kinds])
    except errors.UnitError as error:
        assert error.code in set(errors.TABLE) - {errors.INTERNAL, errors.SESSION_ENDED}  # noqa: PT017
    ask(board, unit, commands.HELLO)
    board.start()
    Dispatcher(board)


_EDGES = st.sampled_from([0, 1, 2, 3, 12, 13, 255])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "u8": _EDGES,
    "u16": _EDGES | st.sampled_from([1024, 1025, 65535]),
    "u32": _EDGES | st.integers(0, (1 << 32) - 1),
    "u64": _EDGES | st.integers(0, (1 << 64) - 1) | st.sampled_from([(1 << 48) - 1, (1 << 37) - 1, 1 << 48, 1 << 37]),
    "b8": st.binary(min_size=8, max_size=8) | st.sampled_from([commands.CONFIRMATION, bytes(8)]),
    "b16": st.binary(min_size=16, max_size=16),
    "b32": st.binary(min_size=32, max_size=32),
    "b37": st.binary(min_size=37, max_size=37) | st.binary(min_size=36, max_size=36).map(lambda rest: b"\1" + rest),
    "rest": st.binary(max_size=1040),
    "text": st.sampled_from(["0.52", "25", "-3.5", "0", "", "x", "9" * 80, "9" * 81]) | st.text(max_size=40),
}


def _answer_known(board: MemoryBoard, code: int, payload: bytes) -> None:
    unit = Dispatcher(board)
    if unit.state.binding and len(payload) > framing.MAX_PAYLOAD_BEFORE_SESSION:
        assert answers(board, unit, framing.encode(code, 1, payload)) == []
        return
    frame = answer(board, unit, code, payload)
    if frame.kind == framing.ERROR:
        assert len(frame.payload) == 2
        assert int.from_bytes(frame.payload) in set(errors.TABLE) - {errors.INTERNAL}
    else:
        commands.TABLE[code].answer.unpack(frame.payload)
    ask(board, unit, commands.STATUS)
    board.start()
    Dispatcher(board)


def _code(board: MemoryBoard, unit: Dispatcher, command: commands.Command, *values: Any) -> int:
    """The error code that is answered in the clear."""
    frame = answer(board, unit, command.code, command.request.pack(*values))
    return int.from_bytes(frame.payload) if frame.kind == framing.ERROR else 0


def _write_format(board: MemoryBoard, body: bytes) -> None:
    """Append the record as the firmware would that has this format."""
    used = Dispatcher(board).state.log.used
    board.nvm_write(used, RecordKeys(board).encode(records.STATE_FORMAT, body, 1000))


def _compact(board: MemoryBoard) -> None:
    """Let the first snapshot hold what nvm holds."""
    image = bytes(board.nvm.content[: records.SIZE])
    board.snapshot_write(0, image + hashlib.sha256(image).digest())


def _valid_requests(board: MemoryBoard) -> dict[commands.Command, tuple[Any, ...]]:
    return {
        commands.PROVISION: membership(),
        commands.OPEN_SESSION: (bytes(16),),
        commands.PROVE: (bytes(16),),
        commands.UNLOCK: (bytes(32), 0, 0),
        commands.BIND: (bytes(32),),
        commands.ZEROIZE: (commands.CONFIRMATION, board.uid),
        commands.NEXT_INDEX: (),
        commands.KEY_CHUNK: (0, 1, 0, 32),
        commands.ACKNOWLEDGE: (0, 1, 0),
    }
