# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""URLs of carriers: SCHEME://HOST:PORT/TOPIC?OPTION=VALUE."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from ..exceptions import UsageError


@dataclass(frozen=True)
class Url:
    """The parts of a URL; `options` are those of its query, in order."""

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    options: tuple[tuple[str, str], ...]

    def option(self, name: str) -> str:
        """Return the value of an option that is given at most once, or "". UsageError."""
        values = self.all(name)
        if len(values) > 1:
            raise UsageError(f"{self.text}: {name} is given twice")
        return values[0] if values else ""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.options if key == name]


def parse(text: str, options: Collection[str], example: str) -> Url:
    """Return the parts of a URL that may have these options; `example` is one that is right. UsageError."""
    advice = f"write it as {example}"
    try:
        parts = urlsplit(text)
        port = parts.port
        given = tuple(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise UsageError("the URL of a carrier is malformed", advice) from None  # it may contain a password
    if parts.password is not None:
        raise UsageError("a password does not belong in a URL, where other users and logs see it", advice)
    if parts.username is not None or parts.fragment:
        raise UsageError(f"{text}: no part of it may be a user or a fragment", advice)
    for name, value in given:
        if name not in options or not value:
            raise UsageError(
                f"{text}: there is no option {name}" if name not in options else f"{name} is empty", advice
            )
    return Url(text, parts.scheme, parts.hostname or "", port, unquote(parts.path), given)


def host_and_port(text: str, what: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT. UsageError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"{what} must be HOST:PORT, not {text}")
    return host.strip("[]"), int(port)
