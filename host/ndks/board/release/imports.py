# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Imports from the module that defines a name, by its full name.

So packages need not pass names on. A full name costs no memory: CircuitPython keeps it for every loaded module anyway.
"""

import ast

from .program import Module, Program, Target, defined_at, origin


def import_directly(program: Program) -> Program:
    """Let every import of the program name the module that defines what it imports."""
    for module in program.values():
        _Direct(program, module).visit(module.tree)
        ast.fix_missing_locations(module.tree)
    return program


class _Direct(ast.NodeTransformer):
    def __init__(self, program: Program, module: Module) -> None:
        self._program = program
        self._module = module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        source = origin(self._module, node)
        inner = (f"{source}.{alias.name}" for alias in node.names)
        if source not in self._program and not any(name in self._program for name in inner):
            return node
        direct: dict[str, list[ast.alias]] = {}
        for alias in node.names:
            place, name = self._place(source, alias.name)
            bound = alias.asname or alias.name
            direct.setdefault(place, []).append(ast.alias(name, bound if bound != name else None))
        return [ast.ImportFrom(place, names, 0) for place, names in direct.items()]

    def _place(self, source: str, name: str) -> tuple[str, str]:
        """Return module and name to import from."""
        if f"{source}.{name}" in self._program:
            return source, name
        target = defined_at(self._program, Target(source, name))
        if target.name:
            return target.module, target.name
        package, _, last = target.module.rpartition(".")
        return package, last
