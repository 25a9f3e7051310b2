# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A program's end of an agent's socket."""

import base64
import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from ...exceptions import NdksError, NoUnit, PortPermission, UnitBusy
from ...retry import retry

_LEAVING = 1.0  # seconds for the agent to notice that the previous program has ended


class AgentError(NdksError):
    """An error that the agent has named."""

    def __init__(self, code: str, message: str, advice: str, exit_status: int) -> None:
        super().__init__(message, advice)
        self.code = code
        self.status = exit_status


def _is_busy(error: Exception) -> bool:
    return isinstance(error, AgentError) and error.code == UnitBusy.code


class AgentClient:
    """A connection to an agent. NoUnit: none runs, or it has ended."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except PermissionError:
            self._socket.close()
            raise PortPermission(f"{path} is the agent of another user", "run this as its user") from None
        except OSError:
            self._socket.close()
            raise NoUnit("no agent runs for this unit", "start one: ndks agent --network FILE --carrier URL") from None
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, data: bytes, content: int = 0) -> int:
        """Send a message to all members; return its number once it is stored."""
        return self.ask("send", data=base64.b64encode(data).decode(), content=content)["s"]

    def events(self, *, follow: bool, unordered: bool = False) -> Iterator[dict[str, Any]]:
        """Yield what arrives; each is confirmed when the next one is asked for.

        In the order of each sender, or `unordered` as it comes: messages for which earlier ones are missing are
        "early".
        """
        how = {"wait": follow, "unordered": unordered}
        place = 0
        events = retry(lambda: self.ask("next", after=0, **how), _is_busy, _LEAVING)["events"]
        while events:
            for event in events:
                yield event
                place = event.get("place", place)
                names = ("place",) if "place" in event else ("lane", "s")
                self.ask("taken", alone=unordered, **{name: event[name] for name in names})
            events = self.ask("next", after=place, **how)["events"]

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """Send a request and return the values of its answer. NdksError, as the agent has named it."""
        line = b""
        with contextlib.suppress(OSError):  # an agent that refuses a program has said so, and reads nothing
            self._socket.sendall(json.dumps({"do": do, **values}).encode() + b"\n")
        with contextlib.suppress(OSError):
            line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise NoUnit("the agent has ended", "start it again; what was not confirmed comes again")
        answer: dict[str, Any] = json.loads(line)
        if error := answer.get("error"):
            raise AgentError(error["code"], error["message"], error.get("advice", ""), error.get("exit_status", 1))
        return answer
