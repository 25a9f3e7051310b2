# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The published conversations about rare events: limits, failures, damaged flash, other suites and chains."""

from typing import Any

import pytest
from hosts.played import host_of, play
from support.reference import FIRMWARE_OF_VECTORS, load_vectors

from ndks_protocol import errors
from ndks_unit import device

VECTORS = load_vectors("conversations")


@pytest.mark.parametrize("talk", VECTORS["conversations"], ids=lambda talk: talk["name"].replace(" ", "_"))
def test_published_conversation(talk: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "FIRMWARE", FIRMWARE_OF_VECTORS)
    play(host_of(VECTORS, talk), talk["steps"])


def test_every_error_but_internal_is_published() -> None:
    steps = [step for talk in (*VECTORS["conversations"], load_vectors("commands")) for step in talk["steps"]]
    assert {step["error"] for step in steps if "error" in step} == set(errors.TABLE) - {errors.INTERNAL}
