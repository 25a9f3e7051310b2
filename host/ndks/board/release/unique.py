# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Names for what modules define, such that modules can be merged."""

import ast
import builtins
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from .program import Module, Program, aliases, binders
from .scopes import bound_in
from .walk import walk


def unique_names(program: Program, merged: Collection[str]) -> dict[tuple[str, str], str]:
    """Return a name by module and name, for each name of the merged modules; no other scope of the program binds it.

    What several modules import from others, in the same words, is one thing and keeps its name.
    """
    places: defaultdict[str, set[str]] = defaultdict(set)
    for module in program.values():
        for name, place in _bindings(program, module, merged):
            places[name].add(place)
    taken = places.keys() | set(dir(builtins))
    unique: dict[tuple[str, str], str] = {}
    for module in program.values():
        for name in sorted(own_names(program, module, merged)) if module.name in merged else ():
            is_free = len(places[name]) == 1 and name not in dir(builtins)
            unique[module.name, name] = name if is_free else _fresh(name, module, taken)
    return unique


def own_names(program: Program, module: Module, merged: Collection[str]) -> set[str]:
    """Return the names in a module's scope, without those that it imports from merged modules."""
    declared = {name for node in walk(module.tree) if isinstance(node, ast.Global) for name in node.names}
    imported = {bound for bound, target in aliases(program, module, module.tree.body) if target.module in merged}
    return (declared | set(bound_in(module.tree.body))) - imported


def _bindings(program: Program, module: Module, merged: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that a module binds, with a text that is the same for the same thing."""
    external: dict[str, str] = {}
    at_top = Counter(bound_in(module.tree.body))
    for node in module.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                source = node.module if isinstance(node, ast.ImportFrom) else ""
                external[alias.asname or alias.name] = f"import {source} {alias.name}"
    own = own_names(program, module, merged)
    for name, count in binders(module.tree).items():
        if name in own:
            yield name, external[name] if name in external and count == 1 else f"module {module.name}"
        if count > at_top[name]:
            yield name, f"within {module.name}"


def _fresh(name: str, module: Module, taken: set[str]) -> str:
    new = f"{name}_{module.name.rpartition('.')[2]}"
    while new in taken:
        new += "_"
    taken.add(new)
    return new
