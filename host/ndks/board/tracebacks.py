# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A board's traceback with the names of the source: a release build has others, and no line numbers."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import strict_json
from ..exceptions import FileError
from ..files import read_small
from ..shipped import RELEASE
from .firmware import release_build, sources
from .release.build import MAP

_FRAME = re.compile(r'File "(?P<file>[^"]*)", line \d+(, in (?P<function>\S+))?')
_QUOTED = re.compile(r"'([A-Za-z_][\w.]*)'")  # as in: no attribute 'NAME', no module named 'NAME'


@dataclass(frozen=True)
class Names:
    """The names of the source: modules and their functions by file, and all else by the names in the build."""

    files: Mapping[str, Mapping[str, Collection[str]]]
    others: Mapping[str, str]

    def translated(self, text: str) -> str:
        """Return a traceback with the names of the source."""
        return _QUOTED.sub(lambda found: f"'{self._dotted(found[1])}'", _FRAME.sub(self._frame, text))

    def _frame(self, found: re.Match[str]) -> str:
        modules = self.files.get(found["file"])
        if modules is None:
            return found[0]
        function = self._dotted(found["function"] or "<module>")
        definers = [module for module, functions in modules.items() if function in functions] or list(modules)
        return f"module {' or '.join(definers)}, in {function}"

    def _dotted(self, text: str) -> str:
        return ".".join(self.others.get(part, part) for part in text.split("."))


def own_names() -> Names:
    """Return the names of this version's release build."""
    shipped = RELEASE / MAP
    return _parsed(shipped.read_bytes() if shipped.exists() else release_build(sources()).map())


def names_in(path: Path) -> Names:
    """Return the names in the map of a build, which `ndks deploy` also writes to the drive. FileError, OSError."""
    try:
        return _parsed(read_small(path))
    except (ValueError, TypeError, KeyError):
        raise FileError(f"{path} is not the map of a build", f"name {MAP} on the board's drive") from None


def _parsed(text: bytes) -> Names:
    found = strict_json.loads(text)
    files: dict[str, dict[str, list[str]]] = {**found["files"]}
    return Names({shown: {**modules} for shown, modules in files.items()}, {**found["names"]})
