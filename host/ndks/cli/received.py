# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `ndks receive` prints and writes of the messages that an agent gives."""

import base64
import json
from pathlib import Path
from typing import Any

from ndks.exceptions import SymbolsError
from ndks.printable import printable
from ndks.symbols.symbols import Symbols
from ndks.whole_file import write_new

from .network_status import lost


def write(directory: Path, event: dict[str, Any]) -> None:
    """Write a message to a file; one that is there already was received before, and not confirmed."""
    path, data = _path(directory, event), _data(event)
    if isinstance(data, SymbolsError) or (path.exists() and path.read_bytes() == data):
        return
    write_new(path, data)


def line(event: dict[str, Any], directory: Path | None, *, as_json: bool) -> str:
    """Return a line for an event; `directory` has its message."""
    if as_json:
        return json.dumps({"schema": 1, **_values(event)})
    if event["kind"] == "lost":
        return f"{event['lane']}  {lost(event)}"
    kind = "" if event["kind"] == "message" else f" ({event['kind']})"
    return f"{event['lane']}  {event['s']}{kind}  {_what(event, directory)}"


def _what(event: dict[str, Any], directory: Path | None) -> str:
    data = _data(event)
    if isinstance(data, SymbolsError):
        return f"(symbols that are refused: {data})"
    return str(_path(directory, event)) if directory else _shown(data)


def _path(directory: Path, event: dict[str, Any]) -> Path:
    return directory / f"{event['lane']}-{event['s']}"


def _shown(data: bytes) -> str:
    try:
        return printable(data.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        return f"({len(data)} bytes; write them to files with -o DIRECTORY)"


def _values(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event for JSON, with the text of its symbols, or why they are refused."""
    values = {name: value for name, value in event.items() if name != "place"}
    if _has_symbols(event):
        symbols = _symbols(event)
        is_refused = isinstance(symbols, SymbolsError)
        values |= {"problem": str(symbols)} if is_refused else {"symbols": symbols.text()}
    return values


def _data(event: dict[str, Any]) -> bytes | SymbolsError:
    """Return the bytes of a message, or the text of its symbols, or why they are refused."""
    if not _has_symbols(event):
        return base64.b64decode(event["data"])
    symbols = _symbols(event)
    return symbols if isinstance(symbols, SymbolsError) else f"{symbols.text()}\n".encode()


def _has_symbols(event: dict[str, Any]) -> bool:
    from ndks.agent.packets import SYMBOLS

    return event.get("content") == SYMBOLS


def _symbols(event: dict[str, Any]) -> Symbols | SymbolsError:
    """Return the symbols, or why they are refused: a member may send what it likes, and what follows is good."""
    try:
        return Symbols.decode(base64.b64decode(event["data"]))
    except SymbolsError as error:
        return error
