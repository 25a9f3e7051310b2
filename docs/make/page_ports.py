# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ports for the commands that pages show. A page names fixed ones; another program may have them where it is run."""

import functools
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from support.ports import free_port

_SHOWN = re.compile(r"\b27[12]\d\d\b")  # pages have no other numbers from 27100 to 27299

_shown: dict[str, str] = {}  # by the port in its place


def to_run(text: str) -> str:
    """Put free ports in the place of those of a page: the same for all commands of this process."""
    return _SHOWN.sub(lambda found: _free(found[0]), text)


def to_show(text: str) -> str:
    """Put the ports of the page back."""
    return re.sub(r"\b\d{5}\b", lambda found: _shown.get(found[0], found[0]), text)


@functools.cache
def _free(shown: str) -> str:
    port = str(free_port())
    _shown[port] = shown
    return port
