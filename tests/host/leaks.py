# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A search for secrets in texts and files: every key that the project uses, in pieces and in every encoding."""

import ast
import base64
import re
from collections.abc import Callable, Iterator

import pytest
from mnemonic import Mnemonic
from support.pieces import pieces

from ndks.laptop.words import CODE_BYTES, WORDS, from_words, to_words
from ndks_protocol.kdf import Mac

_ENGLISH = Mnemonic("english")
_WORDS = 6  # of a code: 66 bits
# Labels of derived values that are public, and of the one that a unit stores in the clear.
_PUBLIC = {
    b"ndks bind id\0",
    b"ndks unit proof\0",
    b"ndks host proof\0",
    b"ndks unit salt\0",
    b"ndks log\0",
    b"ndks network id\0",
    b"ndks generation id\0",
    b"ndks check\0",  # people say it by telephone (SECURITY.md)
    b"ndks hint\0",
}
_KEPT = b"ndks bind auth\0"
_PUBLIC_KEYS = {bytes(32), b"ndks join"}  # of HMACs that extract: a blank unit has no secret, a package needs none


class Secrets:
    """The keys of all HMACs that are computed after `watch`, and the keys derived from them."""

    def __init__(self) -> None:
        self.found: set[bytes] = set()
        self.kept_by_unit: set[bytes] = set()

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make, digest = Mac.__init__, Mac.digest

        def noting_key(mac: Mac, crypto: object, key: bytes | bytearray) -> None:
            self.found |= {bytes(key)} - _PUBLIC_KEYS
            make(mac, crypto, key)

        def noting_digest(mac: Mac, *parts: bytes) -> bytes:
            made = digest(mac, *parts)
            label = bytes(parts[0])
            if label == _KEPT:
                self.kept_by_unit.add(made)
            if label.startswith(b"ndks ") and label not in _PUBLIC:
                self.found.add(made)
            return made

        monkeypatch.setattr(Mac, "__init__", noting_key)
        monkeypatch.setattr(Mac, "digest", noting_digest)

    def shown_in(self, content: bytes | str, *allowed: bytes) -> list[str]:
        """Return the secrets of which `content` has a piece."""
        raw = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        text = raw.decode("latin-1")
        shown = {piece for part in (raw, *_decoded(text)) for piece in pieces(part)}
        words = set(_runs(text.split()))
        return [
            secret.hex()
            for secret in self.found - set(allowed)
            if not shown.isdisjoint(pieces(secret)) or not words.isdisjoint(_spelt(secret))
        ]


def codes_in(text: str) -> Iterator[bytes]:
    """Yield the codes whose words are in a text."""
    words = [word.strip('",{}') for word in text.split()]
    for start in range(len(words) - WORDS + 1):
        run = words[start : start + WORDS]
        if _ENGLISH.check(" ".join(run)):
            yield from_words(" ".join(run))


def _decoded(text: str) -> Iterator[bytes]:
    """Yield the possible meanings of the parts of a text, decoded."""
    for pattern, decode in _SPELLINGS.items():
        for found in re.findall(pattern, text):
            yield from decode(found)


def _of_base64(text: str) -> list[bytes]:
    standard = text.replace("-", "+").replace("_", "/")
    parts = [standard[start:] for start in range(4)]
    whole = [part[: len(part) - (len(part) % 4 == 1)] for part in parts]
    return [base64.b64decode(part + "=" * (-len(part) % 4)) for part in whole]


def _of_bits(bits: str) -> list[bytes]:
    whole = [bits[start : start + (len(bits) - start) // 8 * 8] for start in range(8)]
    return [int(part, 2).to_bytes(len(part) // 8) for part in whole]


def _of_literal(literal: str) -> list[bytes]:
    try:
        return [ast.literal_eval(literal)]
    except (SyntaxError, ValueError):
        return []


_SPELLINGS: dict[str, Callable[[str], list[bytes]]] = {
    r"[0-9a-fA-F]{16,}": lambda digits: [bytes.fromhex(digits[i : i + (len(digits) - i) // 2 * 2]) for i in (0, 1)],
    r"[0-9a-fA-F]{2}(?:[ :][0-9a-fA-F]{2}){7,}": lambda digits: [bytes.fromhex(digits.replace(":", " "))],
    r"[A-Za-z0-9+/_-]{11,}": _of_base64,
    r"[01]{72,}": _of_bits,
    r"\d{1,3}(?:, \d{1,3}){7,}": lambda numbers: [bytes(int(number) & 0xFF for number in numbers.split(", "))],
    r"\d{18,}": lambda digits: [int(digits).to_bytes(len(digits))],
    r"""b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*\"""": _of_literal,
}


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + _WORDS]) for start in range(len(words) - _WORDS + 1))


def _spelt(secret: bytes) -> set[tuple[str, ...]]:
    return set(_runs(to_words(secret).split())) if len(secret) == CODE_BYTES else set()
