# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks send --symbols` and `ndks receive`, with an agent of this test."""

import base64
import io
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from host.conftest import Call
from host.running import assert_refused
from support.emulate_process import wait_until

from ndks.agent.limits import Limits
from ndks.agent.sending import check_message
from ndks.cli import agents
from ndks.exceptions import BadSymbols, SymbolsCut, UsageError
from ndks.symbols.symbols import Symbols

TEXT = "0110..1.{4611686018427387904}"


class Agent:
    """Keeps what is sent, and when; gives what is to be received."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.at: list[float] = []
        self.arrived: list[dict[str, Any]] = []

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        if do == "checks":
            return {"due": [], "failures": []}
        assert do == "send"
        data = base64.b64decode(values["data"])
        check_message(values["content"], data, Limits())
        self.sent.append((values["content"], data))
        self.at.append(time.monotonic())
        told = {"s": len(self.sent), "waits": False, "generation": 0, "newest": None}
        return {**told, "waits_for": None, "left_out": None}

    def events(self, *, follow: bool, unordered: bool) -> Iterator[dict[str, Any]]:
        assert not follow
        assert not unordered
        return iter(self.arrived)

    def deliver(self, content: int, data: bytes) -> None:
        encoded = base64.b64encode(data).decode()
        known = {"place": 1, "kind": "message", "lane": 4, "content": content, "data": encoded}
        self.arrived.append({**known, "s": len(self.arrived) + 1})


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    agent = Agent()
    monkeypatch.setattr(agents, "client", lambda _: agent)
    return agent


def pipe_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_symbols_are_sent_as_content_1(agent: Agent, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "text").write_text(f"{TEXT}\n")
    for words in (("--text", TEXT), (desk / "text",)):
        assert call("send", "--symbols", *words).text == f"message {len(agent.sent)} is on its way\n"
    pipe_in(monkeypatch, TEXT.encode())
    assert call("send", "--symbols").status == 0
    assert agent.sent == [(1, Symbols.parse(TEXT).coded)] * 3


def test_bytes_are_sent_from_stdin_too(agent: Agent, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, b"noon")
    assert call("send").status == 0
    assert call("send", "--text", "01").status == 0
    assert agent.sent == [(0, b"noon"), (0, b"01")]


def test_odd_texts_send_nothing(agent: Agent, call: Call) -> None:
    refused = call("send", "--symbols", "--text", "01\n2")
    assert_refused(refused, "ODD_SYMBOL", 1)
    assert "line 2, column 1: '2'" in refused.stderr
    assert_refused(call("send", "--symbols", "--text", "1.{9999999999999999999}"), "SYMBOLS_TOO_LONG", 1)
    for words in (("--live",), ("--tick", "1s"), ("--symbols", "--live", "--text", "1"), ("--symbols", "--tick", "1s")):
        assert_refused(call("send", *words), "USAGE", 2)
    assert agent.sent == []


def test_too_long_for_a_message(agent: Agent, call: Call, desk: Path) -> None:
    (desk / "text").write_text("1" * (8 * 65536))
    assert_refused(call("send", "--symbols", desk / "text"), "USAGE", 2)
    (desk / "text").write_text("1" * (8 * 65500))
    assert call("send", "--symbols", desk / "text").status == 0
    (desk / "text").write_text("1." * 360_000)
    refused = call("send", "--symbols", desk / "text")
    assert_refused(refused, "USAGE", 2)
    assert "at most 65536 bytes" in refused.stderr


def test_each_stretch_of_a_line_is_a_message_at_once(agent: Agent, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    end, begin = os.pipe()
    said: list[float] = []

    def say() -> None:
        for text, sent in (b"01\n", 1), (b"\n", 1), (b"..\n", 1), (b"1", 2):
            said.append(time.monotonic())
            os.write(begin, text)
            wait_until(lambda count=sent: len(agent.at) == count, "it is sent")  # while the line goes on
            time.sleep(0.6)
        os.close(begin)

    with os.fdopen(end, "rb") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        speaker = threading.Thread(target=say)
        speaker.start()
        done = call("send", "--symbols", "--live", "--tick", "400ms", "--json")
        speaker.join()
    assert [json.loads(line)["s"] for line in done.text.splitlines()] == [1, 2]
    (_, first), (_, second) = agent.sent
    assert Symbols.decode(first).text() == "01"
    text = Symbols.decode(second).text()
    assert text == "." * (len(text) - 1) + "1"
    least, most = said[3] - agent.at[0], agent.at[1] - said[0]  # a busy machine may stop for a while
    # With the two dots; before and behind them, less than a tick was dropped.
    assert least / 0.4 < len(text) - 1 <= most / 0.4 + 2


def test_received_symbols_are_shown_and_written(agent: Agent, call: Call, desk: Path) -> None:
    agent.deliver(1, Symbols.parse(TEXT).coded)
    agent.deliver(0, b"01")
    agent.deliver(1, b"")
    assert call("receive").text == f"4  1  {TEXT}\n4  2  01\n4  3  \n"
    first, *_ = map(json.loads, call("receive", "--json").text.splitlines())
    assert first["symbols"] == TEXT
    assert "place" not in first
    assert call("receive", "-o", desk).text.startswith(f"4  1  {desk}/4-1\n")
    assert call("receive", "-o", desk).status == 0
    assert [path.read_text() for path in sorted(desk.iterdir())] == [f"{TEXT}\n", "01", "\n"]


def test_another_coding_is_refused_and_what_follows_is_received(agent: Agent, call: Call, desk: Path) -> None:
    for coded in (b"\0\0", b"\1"):
        agent.deliver(1, coded)
    agent.deliver(1, Symbols.parse("1").coded)
    first, second, last = call("receive", "-o", desk).text.splitlines()
    assert first == "4  1  (symbols that are refused: a run is empty, or in the wrong place)"
    assert second == "4  2  (symbols that are refused: the end of the symbols is missing)"
    assert last == f"4  3  {desk}/4-3"
    assert [path.name for path in desk.iterdir()] == ["4-3"]
    said = [json.loads(line) for line in call("receive", "--json").text.splitlines()]
    assert [each.get("problem") for each in said] == [
        each.partition("refused: ")[2][:-1] or None for each in (first, second, last)
    ]


def test_an_agent_refuses_what_no_receiver_takes() -> None:
    check_message(1, b"\1\0", Limits())
    for content, data, refusal in ((1, b"\1", SymbolsCut), (1, b"\0\0", BadSymbols), (2, b"", UsageError)):
        with pytest.raises(refusal):
            check_message(content, data, Limits())
