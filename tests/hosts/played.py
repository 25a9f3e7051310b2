# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Published conversations, replayed to a unit in memory: the bytes of each answer must be equal."""

from typing import Any

from support.reference import flash_images

from ndks_protocol import framing

from .memory import Host, new_flash, new_unit


def host_of(vectors: dict[str, Any], talk: dict[str, Any]) -> Host:
    """Return the host of a new unit with the published uid and random bytes, and with the flash of the conversation."""
    uid, entropy = bytes.fromhex(vectors["uid"]), bytes.fromhex(vectors["entropy"])
    flash = new_flash(uid, flash_images(talk["before"]) if "before" in talk else None)
    flash.drive_is_writable = talk.get("steps", [{}])[0].get("files_writable", True)
    return Host(new_unit(flash, lambda size: entropy[:size]))


def play(host: Host, steps: list[dict[str, Any]]) -> None:
    """Execute the steps, and compare flash with the steps that show it."""
    for step in steps:
        _prepare(host, step)
        frame = framing.encode(step["command"], step["request_id"], bytes.fromhex(step.get("sent", step["request"])))
        host.unit.write(frame)
        assert host.unit.read() == _answer(step), step
        if "flash" in step:
            assert host.unit.flash.images == flash_images(step["flash"])


def _prepare(host: Host, step: dict[str, Any]) -> None:
    if "case_open" in step:
        host.unit.case.open() if step["case_open"] else host.unit.case.close()
    host.unit.flash.drive_is_writable = step.get("files_writable", host.unit.flash.drive_is_writable)
    if step.get("restart"):
        host.restart()
    host.unit.clock.milliseconds += step.get("after_ms", 0)


def _answer(step: dict[str, Any]) -> bytes:
    """Return the frame of the answer, or b"" if there is none."""
    if step.get("dropped"):
        return b""
    kind, payload = framing.ERROR, f"{step.get('error', 0):04x}"
    if "answer" in step:
        kind, payload = step["command"] | framing.ANSWER, step["answer"]
    return framing.encode(kind, step["request_id"], bytes.fromhex(step.get("received", payload)))
