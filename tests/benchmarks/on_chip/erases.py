# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Erases of the flash chip in 100 operations: of the sector nvm, and of sectors of the drive.

All operations but BIND append to the log in nvm. A full log is written anew, with a snapshot in a file on the drive:
a compaction. What one costs is counted; how much of the log an operation fills, STATUS tells.
"""

from collections import Counter
from collections.abc import Callable

from .figures import Figures
from .member import Member

_OPERATIONS = {"accept": 20, "acknowledge": 160, "seal": 160}
_MOST = 400  # operations until the log is full


def erases(member: Member) -> Figures:
    binding = _erased(member, member.bind)
    used, size = member.log()  # BIND has written it anew
    compaction = _compaction(member)
    figures = {f"bind, {where}": 100.0 * count for where, count in binding.items()}
    for name, count in _OPERATIONS.items():
        filled = _filled(member, name, count) / count / (size - used)
        figures |= {f"{name}, {where}": 100 * filled * each for where, each in compaction.items()}
    return figures


def _erased(member: Member, operation: Callable[[], object]) -> Counter[str]:
    before = member.unit.erases.copy()
    operation()
    return Counter({where: member.unit.erases[where] - before[where] for where in ("nvm", "files")})


def _compaction(member: Member) -> Counter[str]:
    """Accept messages until the log is full; return the erases then."""
    for _ in range(_MOST):
        if (erased := _erased(member, member.accept))["nvm"]:
            return erased
    raise TimeoutError(f"{_MOST} accepted messages have not filled the log of nvm")


def _filled(member: Member, name: str, count: int) -> int:
    """Return by how many bytes these operations lengthen the log."""
    member.bind()
    before, _ = member.log()
    for _ in range(count):
        getattr(member, name)()
    return member.log()[0] - before
