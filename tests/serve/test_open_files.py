# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Open files: there are enough for all connections, or the server does not start."""

import resource

import pytest

from ndks.exceptions import UsageError
from ndks_gateways.serving import open_files

ANY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((64, 4096), (640, 4096)),
        ((64, ANY), (640, ANY)),
        ((640, 640), None),
        ((1024, 4096), None),
        ((ANY, ANY), None),
    ],
)
def test_the_limit_is_raised_as_far_as_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], raised: tuple[int, int] | None
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, values: told.append(values))
    open_files.allow(512)
    assert told == ([raised] if raised else [])


def test_a_system_that_forbids_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 639))
    with pytest.raises(UsageError, match="needs 640 open files; the system allows 639"):
        open_files.allow(512)
