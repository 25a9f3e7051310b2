# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Directories of bindings: this user's, and others of the same person."""

import getpass
import os
from pathlib import Path

import platformdirs

from ..exceptions import FileError
from ..paths import at_home

HOME = "NDKS_HOME"


def home() -> Path:
    """Return the directory of this user's bindings. FileError for a user without a home directory."""
    named = os.environ.get(HOME)
    if named:
        return Path(at_home(named))
    try:
        usual = platformdirs.user_config_path("ndks")
    except Exception as error:  # RuntimeError, KeyError or others: there is no home directory
        raise _homeless(str(error)) from None
    if not usual.is_absolute():  # "~" was not expanded
        raise _homeless(str(usual))
    return usual


def other_homes(searched: Path) -> list[Path]:
    """Return other directories of bindings of this person: with sudo, or with another HOME."""
    users = {os.environ.get("SUDO_USER") or "", _user()} - {""}
    usual = [Path(os.path.expanduser(f"~{user}"), ".config", "ndks") for user in sorted(users)]  # noqa: PTH111 (no error)
    return [path for path in usual if path != searched and _holds_bindings(path)]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user who is unknown to the system
        return ""


def _holds_bindings(path: Path) -> bool:
    try:
        return (path / "units").is_dir()
    except OSError:  # of another user
        return False


def _homeless(why: str) -> FileError:
    advice = f"name a directory for this laptop's bindings in {HOME}: export {HOME}=DIRECTORY"
    return FileError(f"this user has no home directory ({why})", advice)
