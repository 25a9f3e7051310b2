# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Names and addresses of an image's functions and variables, from the .elf file that its build leaves beside it."""

import bisect
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile


class Function(NamedTuple):
    start: int
    size: int
    name: str


class Symbols:
    """Empty without the file: an image that was downloaded has none."""

    def __init__(self, path: Path) -> None:
        self.addresses: dict[str, int] = {}
        functions: list[Function] = []
        if path.exists():
            with path.open("rb") as file:
                for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols():
                    if symbol["st_shndx"] == "SHN_UNDEF":
                        continue
                    self.addresses.setdefault(symbol.name, symbol["st_value"])
                    if symbol["st_info"]["type"] == "STT_FUNC":
                        functions.append(Function(symbol["st_value"] & ~1, max(symbol["st_size"], 2), symbol.name))
        self._functions = sorted(functions)

    def __bool__(self) -> bool:
        return bool(self.addresses)

    def function_at(self, address: int) -> str:
        """Return the function that has the instruction at an address, "" if none has."""
        index = bisect.bisect_right(self._functions, (address, 1 << 32, "")) - 1
        found = self._functions[index] if index >= 0 else Function(0, 0, "")
        return found.name if address < found.start + found.size else ""
