# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An administrator's file is opened for a change, unless it is an older copy of the file that this laptop has used.

A copy would give out the same lanes, generations and numbers of administrators once more. It may learn until it knows
the last generation that was made here.
"""

import contextlib
import shlex
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from ...exceptions import FileError
from ...laptop.administrators import made_here, note_made
from ...network import administrator_file
from ...network.administration import Administration
from ...network.administrator import Administrator
from ...network.administrator_keys import AdministratorKeys


@contextlib.contextmanager
def opened(path: Path, *, merging: bool = False, adopt: bool = False) -> Generator[Administrator]:
    """Open a file, and note here what was made with it, even if the block fails. FileError: it is an older copy.

    With `merging` an older copy may learn what others made, but makes nothing itself. With `adopt` it then becomes the
    file, once it knows the last generation that was made here.
    """
    with administrator_file.opened(path) as administrator:
        before = administrator.state
        if not merging:
            refuse_old(path, before)
        identity = _identity(before)
        made = made_here(identity)
        administrator.made = made[0]
        try:
            yield administrator
        finally:
            if administrator.state != before:
                note_made(identity, max(made, administrator.state.progress))
        if administrator.state.g < made[0]:
            raise _old(path, administrator.state, made[0])
        if adopt:
            note_made(identity, administrator.state.progress)


def refuse_old(path: Path, state: Administration) -> None:
    """Raise FileError if this laptop has already changed the file beyond this state."""
    made = made_here(_identity(state))
    if state.progress < made:
        state = administrator_file.load(path)  # another process may have changed it since it was read, and noted that
    if state.progress < made:
        raise _old(path, state, made[0])


def _old(path: Path, state: Administration, made: int) -> FileError:
    since = f"{made} was made" if state.g < made else "administrators or units were admitted"
    what = f"{path} is an old copy: it has generation {state.g}, and {since} here since"
    advice = f"use the file itself; if it is lost: ndks network merge {shlex.quote(str(path))} --carrier URL"
    return FileError(what, advice)


def _identity(state: Administration) -> str:
    return sha256(b"%d" % state.number + AdministratorKeys(state.root).public).hexdigest()[:16]
