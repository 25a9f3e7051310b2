# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An administrator's file is opened for a change, unless it is an older copy of the file that this laptop has used.

A copy would give the same lanes, generations and numbers of administrators once more. It may learn, until it knows the
last generation that was made here.
"""

import contextlib
import shlex
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from ...exceptions import FileError
from ...laptop.administrators import made_here, note_made
from ...network import administrator_file
from ...network.administrator import Administrator


@contextlib.contextmanager
def opened(path: Path, *, merging: bool = False, adopt: bool = False) -> Generator[Administrator]:
    """Open a file, and note here what was made with it, even if the block fails. FileError: it is an older copy.

    With `merging` an older copy may learn what others made, and makes nothing itself. With `adopt` it then is the file,
    once it knows the last generation that was made here.
    """
    with administrator_file.opened(path) as administrator:
        identity = sha256(b"%d" % administrator.state.number + administrator.keys.public).hexdigest()[:16]
        made = made_here(identity)
        if not merging:
            _refuse_older(path, administrator, made, made)
        administrator.made = made[0]
        before = administrator.state
        try:
            yield administrator
        finally:
            if administrator.state != before:
                note_made(identity, max(made, administrator.state.progress))
        _refuse_older(path, administrator, made, (made[0], 0))
        if adopt:
            note_made(identity, administrator.state.progress)


def _refuse_older(path: Path, administrator: Administrator, made: tuple[int, int], least: tuple[int, int]) -> None:
    state = administrator.state
    if state.progress < least:
        since = f"{made[0]} was made" if state.g < made[0] else "administrators or units were admitted"
        what = f"{path} is an old copy: it has generation {state.g}, and {since} here since"
        advice = f"use the file itself; if it is lost: ndks network merge {shlex.quote(str(path))} --carrier URL"
        raise FileError(what, advice)
