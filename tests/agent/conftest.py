# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
import pytest

from ndks.carriers import folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let folders be looked at often."""
    monkeypatch.setattr(folder, "_LOOK", 0.02)
