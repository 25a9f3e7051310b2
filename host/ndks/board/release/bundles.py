# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Modules merged into few files: each module costs a dict, and each import of a name an entry in one.

Strategy: what is loaded at the start is put in the order of its imports and cut into files, so that a file imports only
from those before it (`order.py`). The names of merged modules become unique in the program, so that they mean the same
in every file, and `module.NAME` becomes NAME. What only a function imports stays a file of its own.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .order import groups
from .program import Module, Program, Target, aliases, attributes_of, defined_at, origin
from .scopes import GlobalNames
from .unique import unique_names

_Needed = tuple[str, str]  # a file, and a name in it


@dataclass(frozen=True)
class Merged:
    """A program of merged modules, with the way back."""

    program: Program
    modules: dict[str, list[str]]  # by file
    originals: dict[str, str]  # names before they became unique


def bundled(program: Program, roots: tuple[str, ...], always: tuple[str, ...], folder: str) -> Merged:
    """Merge the modules that are loaded at the start into files in a package.

    `always` are loaded at the start though only a function imports them. Imports must be direct (`imports.py`).
    """
    found = {f"{folder}.bundle_{number}": group for number, group in enumerate(groups(program, roots, always), 1)}
    merger = _Merger(program, {module: name for name, group in found.items() for module in group})
    files = {name: [name] for name in program if name not in merger.files} | found
    made = {name: merger.merged(name, [program[module] for module in group]) for name, group in files.items()}
    merged = {
        name: Module(
            name, name in program and program[name].is_package, ast.fix_missing_locations(ast.Module(body, []))
        )
        for name, body in made.items()
    }
    return Merged(merged, files, {unique: name for (_, name), unique in merger.unique.items()})


class _Merger:
    """Writes the modules of a file one after the other."""

    def __init__(self, program: Program, files: dict[str, str]) -> None:
        self.files = files  # by module; a module that is not here stays a file of its own
        self._program = program
        self.unique = unique_names(program, set(files))

    def merged(self, file: str, modules: list[Module]) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        seen: set[str] = set()
        for module in modules:
            for statement in self._statements(file, module):
                is_import = isinstance(statement, ast.Import | ast.ImportFrom)
                if not is_import or ast.unparse(statement) not in seen:
                    body.append(statement)
                seen.add(ast.unparse(statement) if is_import else "")
        return body

    def _statements(self, file: str, module: Module) -> Iterator[ast.stmt]:
        found = aliases(self._program, module, module.tree.body)
        bound = {name: target for name, target in found if target.module in self.files}
        names = GlobalNames(
            lambda name: self._name(bound.get(name, Target(module.name, name))) or name,
            lambda name, attribute: self._attribute(bound.get(name), attribute),
        )
        for statement in module.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                yield from self._imports(file, module, statement, bound)
            else:
                yield names.visit(_InnerImports(self, module).visit(statement))

    def _name(self, target: Target) -> str | None:
        return self.unique.get((target.module, target.name))

    def _attribute(self, base: Target | None, attribute: str) -> str | None:
        return None if base is None or base.name else self._name(self._defined(base, attribute))

    def _defined(self, base: Target, attribute: str) -> Target:
        return defined_at(self._program, Target(base.module, attribute))

    def _imports(
        self, file: str, module: Module, node: ast.Import | ast.ImportFrom, bound: dict[str, Target]
    ) -> Iterator[ast.stmt]:
        """Yield the imports in place of one at the top of a module: from other files, or from outside."""
        for alias in node.names:
            name = alias.asname or alias.name
            if name in bound:
                yield from self._imports_from_files(file, bound[name], attributes_of(name, module.tree))
            else:
                new = self._name(Target(module.name, name)) or name
                outside = [ast.alias(alias.name, new if new != alias.name else None)]
                yield (
                    ast.ImportFrom(node.module, outside, 0) if isinstance(node, ast.ImportFrom) else ast.Import(outside)
                )

    def _imports_from_files(self, file: str, target: Target, attributes: set[str]) -> Iterator[ast.stmt]:
        """Yield imports of all names that the import of a name or module makes reachable."""
        for attribute in [target.name] if target.name else sorted(attributes):
            place = self._defined(target, attribute)
            source = self.files.get(place.module, place.module)
            if source != file:
                yield ast.ImportFrom(source, [ast.alias(self._name(place) or attribute)], 0)

    def inner_import(self, module: Module, node: ast.ImportFrom) -> list[ast.stmt]:
        """Return the imports, from files, in place of one in a function."""
        source = origin(module, node)
        made: list[ast.stmt] = []
        for alias in node.names:
            is_module = f"{source}.{alias.name}" in self._program
            name = alias.name if is_module else self._name(Target(source, alias.name)) or alias.name
            bound = alias.asname or alias.name
            place = source if is_module else self.files.get(source, source)
            made.append(ast.ImportFrom(place, [ast.alias(name, bound if bound != name else None)], 0))
        return made


class _InnerImports(ast.NodeTransformer):
    """Lets imports in functions import from files."""

    def __init__(self, merger: _Merger, module: Module) -> None:
        self._merger = merger
        self._module = module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        return self._merger.inner_import(self._module, node)
