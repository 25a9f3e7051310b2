# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Answers of units of protocol 3.0 are understood: what 3.1 added is zeros."""

import struct
from typing import Any

import pytest

from ndks.line.earlier import completed
from ndks.line.link import unpack_answer
from ndks_protocol import commands

OF_3_0: dict[commands.Command, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    commands.SEAL_BEGIN: (">37s", (b"\1" * 37,), {"epoch": 0}),
    commands.OPEN_BEGIN: (">8sHQB", (bytes(8), 2, 3, 1), {"cipher": 1, "kind": 0, "epoch": 0}),
    commands.SEAL_KEYS: (">37s32s8s", (b"\1" * 37, b"t" * 32, b"s" * 8), {"sync": b"s" * 8, "epoch": 0}),
    commands.OPEN_KEYS: (
        ">8sHQ32s8s",
        (bytes(8), 2, 3, b"t" * 32, b"s" * 8),
        {"sync": b"s" * 8, "kind": 0, "epoch": 0},
    ),
}


@pytest.mark.parametrize("command", OF_3_0, ids=lambda command: command.name)
@pytest.mark.parametrize("key", [b"", b"k" * 32])
def test_answers_of_messages(command: commands.Command, key: bytes) -> None:
    layout, values, expected = OF_3_0[command]
    has_key = "aes_key" in command.answer.names
    answer = unpack_answer(command, struct.pack(layout, *values) + (key if has_key else b""))
    assert answer._asdict().items() >= (expected | ({"aes_key": key} if has_key else {})).items()


@pytest.mark.parametrize("name", ["", "office", "x" * 32])
def test_status(name: str) -> None:
    fields = (1 if name else 0, 0, 7 * bool(name), bool(name), 1, 0, 3 * bool(name), name, bytes(8), *bytes(11))
    now = commands.STATUS.answer.pack(*fields, bytes(8), b"\xff" * 14)
    before = now[: -8 - 14]
    assert completed(commands.STATUS, before) == now
    assert unpack_answer(commands.STATUS, before) == unpack_answer(commands.STATUS, now)


@pytest.mark.parametrize("command", [*OF_3_0, commands.STATUS], ids=lambda command: command.name)
def test_answers_of_now_stay_as_they_are(command: commands.Command) -> None:
    values = tuple(
        0 if kind[0] == "u" else "" if kind == "text" else b"" if kind == "rest" else bytes(int(kind[1:]))
        for kind in command.answer.kinds
    )
    for rest in (b"", bytes(32)):
        given = (*values[:-1], rest) if command.answer.kinds[-1] == "rest" else values
        payload = command.answer.pack(*given)
        assert completed(command, payload) == payload
