# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests of ETSI GS QKD 014 V1.1.1, from what a client sent: values, or BadRequest.

Clients differ: a body may be missing, a field may be null, a number may be a string; unknown fields mean nothing. No
other value is taken for a number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ndks import strict_json

from . import refusals
from .names import is_name
from .refusals import BadRequest

Values = Mapping[str, object]

_NUMBER = re.compile(r"[0-9]{1,9}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}(\1[0-9a-fA-F]{4}){2}\1[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a server gives: sizes of keys in bits, and keys in a request."""

    size: int = 256
    min_size: int = 64
    max_size: int = 8192
    per_request: int = 128


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """How many keys, of so many bytes, and for which SAEs besides that of the URL."""

    number: int
    size: int
    additional: tuple[str, ...] = ()


def from_body(body: bytes) -> Values:
    """Return the values of a body of JSON; none if it is empty."""
    try:
        values: object = strict_json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise BadRequest(refusals.FORMAT) from None
    if not isinstance(values, dict):
        raise BadRequest(refusals.FORMAT)
    return cast("dict[str, object]", values)


def key_request(values: Values, sizes: Sizes) -> KeyRequest:
    """Return what a request for new keys asks for."""
    if _array(values, "extension_mandatory"):
        raise BadRequest(refusals.MANDATORY)
    number = _integer(values, "number", 1)
    if not 1 <= number <= sizes.per_request:
        raise BadRequest(refusals.NUMBER)
    additional = tuple(_name(each) for each in _array(values, "additional_slave_SAE_IDs"))
    return KeyRequest(number, size_of(values, sizes), additional)


def size_of(values: Values, sizes: Sizes) -> int:
    """Return the size of keys in bytes that a request asks for."""
    size = _integer(values, "size", sizes.size)
    if size % 8:
        raise BadRequest(refusals.SIZE_OF_BYTES)
    if not sizes.min_size <= size <= sizes.max_size:
        raise BadRequest(refusals.SIZE)
    return size // 8


def entropy_of(values: Values, sizes: Sizes) -> int:
    """Return how many random bytes have at least the entropy that SKIP asks for, in bits."""
    bits = _integer(values, "minentropy", 256)
    if not 1 <= bits <= sizes.max_size:
        raise BadRequest(refusals.SIZE)
    return -(-bits // 8)


def ids_request(values: Values, sizes: Sizes) -> list[bytes]:
    """Return the ids of the keys that a request asks for: at least one, none twice."""
    single = values.get("key_ID")
    texts = [_field(each, "key_ID") for each in _array(values, "key_IDs")] if single is None else [single]
    if not 1 <= len(texts) <= sizes.per_request:
        raise BadRequest(refusals.NUMBER if texts else refusals.FORMAT)
    ids = [key_id_of(text) for text in texts]
    if len(set(ids)) != len(ids):
        raise BadRequest(refusals.TWICE)
    return ids


def key_id_of(text: object) -> bytes:
    """Return the id in a text, as RFC 4122 writes a UUID or as SKIP does, without hyphens. Its version says nothing."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise BadRequest(refusals.FORMAT)
    return bytes.fromhex(text.replace("-", ""))


def _integer(values: Values, name: str, usual: int) -> int:
    value = values.get(name)
    if value is None:
        return usual
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    if type(value) is not int:  # neither a float nor true
        raise BadRequest(refusals.FORMAT)
    return value


def _array(values: Values, name: str) -> list[object]:
    value = values.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(refusals.FORMAT)
    return cast("list[object]", value)


def _field(value: object, name: str) -> object:
    if not isinstance(value, dict):
        raise BadRequest(refusals.FORMAT)
    return cast("dict[str, object]", value).get(name)


def _name(value: object) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise BadRequest(refusals.FORMAT)
    return value
