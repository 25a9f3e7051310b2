# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What flash holds beside what the model says: before, after and between."""

from collections.abc import Callable
from typing import Any

import session_reference
from support.public_network import public_network

from ndks.exceptions import NdksError

from .flash_view import FlashView
from .model import Flash, Model, Refused, Window

NETWORK = public_network()


def outcome(operation: Callable[[], Any]) -> Any:
    """Return the result of a call, or the name of its error."""
    try:
        return operation()
    except Refused as refused:
        return f"refused: {refused}"
    except NdksError as error:
        return f"refused: {error.code}"


def has_secrets(flash: Flash) -> bool:
    return bool(flash.lane or flash.joining_key)


def id_of(binding: bytes) -> str:
    return session_reference.Binding(binding).id.hex()


def described(flash: Flash) -> dict[str, Any]:
    """Return the expected contents of flash."""
    return {
        "lane": flash.lane,
        "binding": flash.binding,
        "joining_key": flash.joining_key,
        "is_tampered": flash.is_tampered,
        "next_index": flash.next_index,
        "reserved": flash.reserved,
        "wrong_attempts": flash.wrong_attempts,
        "trusted": flash.trusted,
        "windows": {lane: window.packed() for lane, window in flash.windows.items()},
    }


def seen(view: FlashView) -> dict[str, Any]:
    """Return the actual contents of flash, in the same form."""
    lane = 0
    if view.is_bound:
        assert NETWORK.secret in view.membership
        lane = int.from_bytes(view.membership[4:6])
    names = ("binding", "is_tampered", "next_index", "reserved", "wrong_attempts", "trusted", "windows")
    found = {name: getattr(view, name) for name in names}
    return {"lane": lane, "joining_key": view.joining_key[32:]} | found


def between(view: FlashView, before_it: Model, after_it: Model) -> Flash:
    """Return the permitted state after an interruption: each part as before, as after, or as the laptop knew it."""
    before, after = before_it.flash, after_it.flash
    found, old, new = seen(view), described(before), described(after)
    known = {
        "next_index": before_it.laptop.exported + 1,
        "reserved": before_it.laptop.minimum + 1,
        "joining_key": b"",  # the old one is void before there is a new one
    }
    if found["lane"] not in (before.lane, after.lane):
        raise AssertionError("another unit")
    if before.lane != after.lane:
        whole = old if found["lane"] == before.lane else new
        assert found in (whole, whole | {"joining_key": b""}), "something in between"
    flash = Flash(found["lane"])
    for name, value in found.items():
        if name == "windows":
            flash.windows = {lane: _window(lane, packed, before, after) for lane, packed in value.items()}
        else:
            assert value in (old[name], new[name], known.get(name)), f"{name} is neither old nor new"
            setattr(flash, name, value)
    assert set(old["windows"]) <= set(flash.windows) or before.lane != after.lane
    return flash


def _window(lane: int, packed: tuple[int, int], before: Flash, after: Flash) -> Window:
    for flash in (before, after):
        window = flash.windows.get(lane)
        if window and window.packed() == packed:
            return window
    raise AssertionError(f"the window of lane {lane} is neither old nor new")
