# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Messages and advice for errors of the operating system."""

import contextlib
import errno
from collections.abc import Generator

from .exceptions import FileError, NdksError, reason

_FREE_SPACE = "free some space and repeat the command"
_CLOSE_SOME = "close some programs and repeat the command"
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "write to another file system, or raise the limit: ulimit -f",
    errno.EMFILE: _CLOSE_SOME,
    errno.ENFILE: _CLOSE_SOME,
    errno.ENOMEM: _CLOSE_SOME,
    errno.EIO: "check that the disk, drive or terminal is still attached and works",
    errno.EROFS: "name a writable place",
    errno.EISDIR: "name a file",
    errno.ELOOP: "name the file itself: its links form a loop",
    errno.ENAMETOOLONG: "give it a shorter name",
}


def file_error(error: OSError, what: str = "") -> FileError:
    """Return the FileError for an OSError; `what` names the failed action if the path does not."""
    path, why = error.filename, reason(error)
    usual = "check the path and its permissions" if path else NdksError.usual_advice
    text = f"{what}: {why}" if what else f"{why}: {path}" if path else why
    return FileError(text, _ADVICE.get(error.errno or 0, usual))


@contextlib.contextmanager
def file_errors() -> Generator[None]:
    """Raise an OSError of the block as FileError."""
    try:
        yield
    except OSError as error:
        raise file_error(error) from error
