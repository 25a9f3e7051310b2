# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The steps of the release build."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass

from .bundles import bundled
from .constants import fold_constants
from .error_texts import without_texts
from .imports import import_directly
from .mpy import compiled
from .names import renamed, replacements, rom_names
from .program import Module, Program, parsed
from .refused import check
from .unused import on_demand, reachable, remove_unused
from .walk import walk

ENTRY = "code.py"  # stays source, and alone imports the firmware; boot.py and safemode.py import nothing of it
MAP = "lib/ndks_unit/names.json"
_LIBRARY = "lib/"
_FOLDER = "ndks_unit"
_ALWAYS = ("ndks_unit.rp2040",)  # a board loads it, though only a function imports it


@dataclass(frozen=True)
class Build:
    """The shortened firmware before it is compiled, and the way back from its names to those of the source."""

    modules: dict[str, str]  # source by path on the drive without its ending
    shown: dict[str, str]  # what tracebacks name, by the same path
    names: dict[str, str]  # names of the source by those in the build
    functions: dict[str, dict[str, list[str]]]  # modules of the source and their functions, by what tracebacks name

    def files(self) -> dict[str, bytes]:
        """Return the compiled modules, the entry as source, and the map, by path on the drive.

        UsageError: there is no mpy-cross.
        """
        entry = ENTRY.removesuffix(".py")
        made = {f"{path}.mpy": compiled(text, self.shown[path]) for path, text in self.modules.items() if path != entry}
        return made | {MAP: self.map(), ENTRY: self.modules[entry].encode()}

    def map(self) -> bytes:
        """Return what `ndks traceback` needs, as JSON."""
        return json.dumps({"files": self.functions, "names": self.names}, sort_keys=True, indent=0).encode()


def build(sources: Mapping[str, str], roots: tuple[str, ...] = ("code",), kept: frozenset[str] = frozenset()) -> Build:
    """Return the build of sources by their paths on the drive. BuildError.

    `roots` are the modules that are executed; others are left out unless these import them. `kept` are names of other
    modules that CircuitPython does not have.
    """
    program = _program(sources)
    check(program)
    program = remove_unused(import_directly(fold_constants(without_texts(program))), roots, rom_names())
    functions = {name: sorted(_functions(module)) for name, module in program.items()}
    merged = bundled(program, roots, _ALWAYS, _FOLDER)
    names = replacements(merged.program, kept | _kept_names(merged.program, roots))
    files = renamed(merged.program, names)
    paths = {file: _path(module) for file, module in files.items() if module.tree.body}
    shown = dict(zip(paths, _file_names(), strict=False))
    origins = dict(zip(files, merged.modules.values(), strict=True))
    return Build(
        {path: ast.unparse(files[file].tree) + "\n" for file, path in paths.items()},
        {path: shown[file] for file, path in paths.items()},
        {new: merged.originals.get(old, old) for old, new in names.items()},
        {shown[file]: {module: functions[module] for module in origins[file]} for file in paths},
    )


def loaded(sources: Mapping[str, str]) -> set[str]:
    """Return the paths of the sources that a board may load: the others are for hosts."""
    program = _program(sources)
    return {f"{_path(program[name])}.py" for name in reachable(program, ("code",))}


def _program(sources: Mapping[str, str]) -> Program:
    return parsed({path.removeprefix(_LIBRARY): source for path, source in sources.items()})


def _functions(module: Module) -> set[str]:
    return {node.name for node in walk(module.tree) if isinstance(node, ast.FunctionDef)}


def _kept_names(program: Program, roots: tuple[str, ...]) -> frozenset[str]:
    """Return the names of files that others know: those of packages, of what is executed, and of on-demand modules."""
    whole = [*roots, *on_demand(program)]
    return frozenset(
        {name.partition(".")[0] for name in program} | {part for name in whole for part in name.split(".")}
    )


def _path(module: Module) -> str:
    path = module.name.replace(".", "/")
    return f"{_LIBRARY}{path}/__init__" if module.is_package else f"{_LIBRARY}{path}" if "/" in path else path


def _file_names() -> list[str]:
    """Return names for tracebacks that need no memory on a board."""
    return sorted(rom_names(), key=lambda name: (len(name), name))
