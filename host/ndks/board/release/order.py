# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which modules are loaded at the start, in which order, and which of them become one file."""

import ast
from collections.abc import Iterator

from .program import Module, Program, Target, aliases, attributes_of, defined_at, origin
from .unique import own_names
from .walk import walk

# Of one file. CircuitPython hashes a name to 8 bits, so a large dict is searched more slowly. And wide dicts overflow
# the collector's stack of 64 entries, so a collection takes 11 ms, not 6: with 30 names per file or more, depending on
# the firmware. `make chip-bench` shows it.
MOST_NAMES = 20
_OWN_OBJECT = {"__name__", "__file__", "__path__", "globals", "locals"}


def groups(program: Program, roots: tuple[str, ...], always: tuple[str, ...]) -> list[list[str]]:
    """Return the modules of each file, in an order in which each imports only from those before it. BuildError.

    What one import of a root loads is not merged with what the next one does: the root may act in between.
    """
    loading, apart = _Loading(program, set(roots)), _used_as_objects(program)
    found: list[list[str]] = []
    for root in roots:
        for statement in program[root].tree.body:
            found += _cut(program, loading.loaded_by(program[root], [statement]), apart)
    for name in always:
        found += _cut(program, loading.loaded(name), apart) if name in program else []
    return found


class _Loading:
    """Loads modules as an interpreter does."""

    def __init__(self, program: Program, done: set[str]) -> None:
        self._program = program
        self._done = done

    def loaded_by(self, module: Module, statements: list[ast.stmt]) -> list[str]:
        """Return the modules that statements load."""
        names = [name for node in statements for name in _imported(self._program, module, node)]
        return [inner for name in names for inner in self.loaded(name)]

    def loaded(self, name: str) -> list[str]:
        """Return the modules that are loaded for a module and not before, itself last."""
        if name in self._done:
            return []
        self._done.add(name)
        return [*self.loaded_by(self._program[name], self._program[name].tree.body), name]


def _imported(program: Program, module: Module, node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        source = origin(module, node)
        for alias in node.names:
            yield from (name for name in (source, f"{source}.{alias.name}") if name in program)


def _cut(program: Program, names: list[str], apart: set[str]) -> Iterator[list[str]]:
    """Yield the modules of each file; modules that are used as objects, `apart`, are left out, and part others."""
    group: list[str] = []
    for name in names:
        if group and (name in apart or _width(program, [*group, name]) > MOST_NAMES):
            yield group
            group = []
        if name not in apart:
            group.append(name)
    if group:
        yield group


def _width(program: Program, group: list[str]) -> int:
    """Return the number of names in the scope of a file of these modules."""
    names: set[tuple[str, str]] = set()
    for module in (program[name] for name in group):
        names.update((module.name, name) for name in own_names(program, module, program.keys()))
        for bound, target in aliases(program, module, module.tree.body):
            for name in [target.name] if target.name else attributes_of(bound, module.tree):
                place = defined_at(program, Target(target.module, name))
                names.add((place.module, place.name))
    return len(names)


def _used_as_objects(program: Program) -> set[str]:
    """Return the modules that are used otherwise than in `module.NAME`, or that look at themselves."""
    found: set[str] = set()
    for module in program.values():
        bases = {id(node.value) for node in walk(module.tree) if isinstance(node, ast.Attribute)}
        alone = {node.id for node in walk(module.tree) if isinstance(node, ast.Name) and id(node) not in bases}
        at_top = aliases(program, module, module.tree.body)
        found.update(target.module for bound, target in at_top if not target.name and bound in alone)
        found.update(target.module for _, target in aliases(program, module, _inner_imports(module)) if not target.name)
        if any(isinstance(node, ast.Name) and node.id in _OWN_OBJECT for node in walk(module.tree)):
            found.add(module.name)
    return found


def _inner_imports(module: Module) -> list[ast.stmt]:
    imports = (node for node in walk(module.tree) if isinstance(node, ast.ImportFrom))
    return [node for node in imports if node not in module.tree.body]
