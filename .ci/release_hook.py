# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compiles the firmware into a wheel; hatchling calls this."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ReleaseHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the release build to a wheel; an editable install makes it when it deploys."""
        if version == "editable":
            return
        sys.path[:0] = [str(Path(self.root, folder)) for folder in ("protocol", "firmware", "host")]
        from ndks.board.firmware import made_files, sources

        self._folder = TemporaryDirectory()  # removed with this object
        for name, content in made_files(sources()).items():
            made = Path(self._folder.name, name)
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(content)
            build_data["force_include"][str(made)] = f"ndks/_release/{name}"
