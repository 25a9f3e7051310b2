# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The contents of a page, parsed as by a browser."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class ParsedPage(HTMLParser):
    """The elements of a page with their attributes, its text, and the text of each row and paragraph with an id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.named: dict[str, str] = {}
        self._texts: list[str] = []
        self._name = ""
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts).split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with this name."""
        return [attributes for element, attributes in self.elements if element == name]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("tr", "p"):
            self._name = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("tr", "p"):
            self._name = ""

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if self._name:
            self.named[self._name] = self.named.get(self._name, "") + data


def changed(value: Any, change: Callable[[str], str], *, keep: tuple[str, ...] = ()) -> Any:
    """Return a report with all of its texts changed, except the names of fields and the fields to keep."""
    if isinstance(value, dict):
        return {name: item if name in keep else changed(item, change, keep=keep) for name, item in value.items()}
    if isinstance(value, list):
        return [changed(item, change, keep=keep) for item in value]
    return change(value) if isinstance(value, str) else value


def read_json(directory: Path) -> Any:
    return json.loads((directory / "report.json").read_bytes())
