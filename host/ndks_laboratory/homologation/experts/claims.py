# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an expert claims: the text of a message, bits of a key, or something else, in words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ndks_protocol.commands import MAX_NUMBER
from ndks_protocol.generator import MAX_ELEMENTS

from .fields import FieldError, Fields

TEXT, KEY, OTHER = KINDS = "text", "key", "other"
LEAST_BITS = 64  # fewer are guessed by chance
_MOST_BITS, _LONGEST_TEXT, _LONGEST_WORDS = 1 << 16, 1 << 17, 2000


@dataclass(frozen=True)
class TextClaim:
    """The whole text of message `number`, as the report numbers them: in their order on the line, from 0 on."""

    number: int
    text: str
    confirmed: bool | None  # by the head of the test; None: not decided

    kind = TEXT


@dataclass(frozen=True)
class KeyClaim:
    """Elements of key `index`, from `first` on, as characters 0 and 1."""

    index: int
    first: int
    bits: str
    confirmed: bool | None

    kind = KEY


@dataclass(frozen=True)
class OtherClaim:
    """Something that no program can compare."""

    claim: str
    confirmed: bool | None

    kind = OTHER


Claim = TextClaim | KeyClaim | OtherClaim


def claim_from(values: Any, where: str) -> Claim:
    """Return a claim in the file. FieldError."""
    kind = cast(dict[str, Any], values).get("kind") if isinstance(values, dict) else None
    if type(kind) is not str or kind not in _MAKERS:
        raise FieldError(f"{where}.kind has to be one of {', '.join(KINDS)}")
    names, make = _MAKERS[kind]
    return make(Fields(values, where, ("kind", "confirmed", *names)))


def _text(fields: Fields) -> Claim:
    text = fields.text("text", _LONGEST_TEXT, lines=True)
    return TextClaim(fields.whole("message", 0, 1 << 32), text, fields.decision("confirmed"))


def _key(fields: Fields) -> Claim:
    form = re.compile(f"[01]{{{LEAST_BITS},{_MOST_BITS}}}")
    bits = fields.matching("bits", form.fullmatch, f"{LEAST_BITS} to {_MOST_BITS} characters 0 and 1")
    index, first = fields.whole("index", 1, MAX_NUMBER), fields.whole("first", 0, MAX_ELEMENTS - len(bits))
    return KeyClaim(index, first, bits, fields.decision("confirmed"))


def _other(fields: Fields) -> Claim:
    return OtherClaim(fields.text("claim", _LONGEST_WORDS, lines=True), fields.decision("confirmed"))


_MAKERS: dict[str, tuple[tuple[str, ...], Callable[[Fields], Claim]]] = {
    TEXT: (("message", "text"), _text),
    KEY: (("index", "first", "bits"), _key),
    OTHER: (("claim",), _other),
}
