# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Option --authority: the key whose signature each candidate of a network needs."""

import argparse
from pathlib import Path

from ndks.files import read_small
from ndks.network.ssh_signature import check_authority
from ndks.system_errors import file_errors

from .arguments import need

_AUTHORITY = "an OpenSSH public key, ssh-ed25519, or its file: whose signature each candidate needs"


def add_authority(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--authority", metavar="KEY", help=_AUTHORITY)


def authority_of(text: str | None) -> str:
    """Return the line of a public key, given itself or as the name of its file, "" for None. FileError, UsageError.

    An empty text is refused: else a network without an authority would be founded unasked.
    """
    if text is None:
        return ""
    need(bool(text.strip()), "the authority is empty", "give its public key, or leave --authority out")
    line = text.strip()
    if not line.startswith("ssh-"):
        with file_errors():
            line = read_small(Path(text)).decode(errors="replace").strip()
    need(line.isprintable(), "an authority is one public key, on one line", "name the file KEY.pub")
    check_authority(line)
    return line
