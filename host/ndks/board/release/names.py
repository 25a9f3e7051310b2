# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The firmware's own names replaced by names that CircuitPython has in ROM anyway: those need no RAM.

Strategy: a name is the firmware's own if CircuitPython does not have it, because whatever CircuitPython calls or gives
has a name in its ROM. A name is replaced everywhere at once, as variable, attribute, argument and module, by one that
the firmware does not use otherwise. `rom_names.txt` is of one version; in another, a name that is missing costs RAM.
"""

import ast
import builtins
import keyword
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .hashes import Dicts
from .program import Module, Program
from .unused import names_in_texts
from .walk import walk

_FILE = Path(__file__).with_name("rom_names.txt")
_DEVICES = {"aux", "con", "nul", "prn"}  # of Windows, which cannot have files with these names
# Attributes of exceptions, which classes of the firmware inherit
_INHERITED = {"args", "errno", "strerror", "value", "add_note", "with_traceback"}
_OF_THE_COMPILER = {"const"}  # mpy-cross takes a call of it for a declaration


def rom_names() -> frozenset[str]:
    """Return the names in the ROM of CircuitPython."""
    return frozenset(_FILE.read_text(encoding="utf-8").split())


def replacements(program: Program, kept: frozenset[str]) -> dict[str, str]:
    """Return the new names by the firmware's own; the most frequent ones get the shortest."""
    rom, counts = rom_names(), Counter(name for module in program.values() for name in _names(module))
    fixed = rom | kept | names_in_texts(program) | _external(program) | set(dir(builtins)) | set(keyword.kwlist)
    own = [name for name in counts if name not in fixed and not name.startswith("__")]
    files = {part for name in program for part in name.split(".")}
    own.sort(key=lambda name: (name not in files, -counts[name], name))
    unusable = (
        _INHERITED
        | _OF_THE_COMPILER
        | set(dir(builtins))
        | set(keyword.kwlist)
        | set(keyword.softkwlist)
        | counts.keys()
    )
    free = sorted(
        (name for name in rom - unusable if name.isidentifier() and not name.startswith("_")),
        key=lambda name: (len(name), name),
    )
    dicts = Dicts(program, fixed)
    chosen: dict[str, str] = {}
    for name in own:
        usable = [new for new in free if name not in files or _is_file_name(new)]
        if usable:
            chosen[name] = dicts.best(name, usable)
            free.remove(chosen[name])
    return chosen


def renamed(program: Program, names: dict[str, str]) -> Program:
    """Return the program with these names, both in its modules and for them."""
    for module in program.values():
        for node in walk(module.tree):
            _rename(node, names)
    modules = [Module(_dotted(module.name, names), module.is_package, module.tree) for module in program.values()]
    return {module.name: module for module in modules}


def _external(program: Program) -> set[str]:
    """Return the names by which the program reaches other modules."""
    found: set[str] = set()
    for module in program.values():
        others: set[str] = set()
        for node in walk(module.tree):
            if isinstance(node, ast.Import):
                found.update(part for alias in node.names for part in alias.name.split("."))
                others.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.module not in program and not node.level:
                found.update(node.module.split("."), (alias.name for alias in node.names))
                others.update(alias.asname or alias.name for alias in node.names)
        for node in walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in others:
                found.add(node.attr)
    return found


def _is_file_name(name: str) -> bool:
    """Return whether a name is one for a file on FAT, which takes upper and lower case as equal, and on Windows."""
    return name.islower() and name not in _DEVICES


def _names(module: Module) -> Iterator[str]:
    """Yield every name in a module, and those of the module itself, as often as each occurs."""
    yield from module.name.split(".")
    for node in walk(module.tree):
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            text = getattr(node, field, None)
            if isinstance(text, str):
                yield from text.split(".")
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _rename(node: ast.AST, names: dict[str, str]) -> None:
    for field in ("id", "attr", "arg", "name", "asname", "module"):
        text = getattr(node, field, None)
        if isinstance(text, str):
            setattr(node, field, _dotted(text, names))
    if isinstance(node, ast.Global | ast.Nonlocal):
        node.names = [names.get(name, name) for name in node.names]


def _dotted(text: str, names: dict[str, str]) -> str:
    return ".".join(names.get(part, part) for part in text.split("."))
