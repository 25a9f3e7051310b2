# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Replacement of the names of a module's own scope, and of no equal name in a function, a class or a comprehension."""

import ast
from collections.abc import Callable, Iterator

from .walk import walk

_Function = ast.FunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPE = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NewName = Callable[[str], str]
NewAttribute = Callable[[str, str], str | None]


class GlobalNames(ast.NodeTransformer):
    """Gives names of the module's scope new ones; `NAME.attribute` may become one name.

    `rename` gets a name; `resolve` gets a name and its attribute, and returns None if they stay two.
    """

    def __init__(self, rename: NewName, resolve: NewAttribute) -> None:
        self._rename = rename
        self._resolve = resolve
        self._hidden: list[set[str]] = []  # names of the enclosing scopes, from the outside in
        self._in_class: list[bool] = []  # whether a scope is a class, whose names its functions do not see

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._is_global(node.id):
            node.id = self._rename(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and self._is_global(node.value.id):
            new = self._resolve(node.value.id, node.attr)
            if new:
                return ast.copy_location(ast.Name(new, node.ctx), node)
        return self._inner(node)

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return self._imported(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return self._imported(node)

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        node.names = [self._rename(name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        if self._is_global(node.name):
            node.name = self._rename(node.name)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        self._visit_function(node, node.body)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self._visit_function(node, [node.body])
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        if self._is_global(node.name):
            node.name = self._rename(node.name)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        self._visit_inside(node.body, set(bound_in(node.body)), is_class=True)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.excepthandler:
        if node.name and self._is_global(node.name):
            node.name = self._rename(node.name)
        self.generic_visit(node)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._visit_comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        return self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        return self._visit_comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        return self._visit_comprehension(node)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> ast.stmt:
        for alias in node.names:
            bound = alias.asname or alias.name
            if self._is_global(bound):
                new = self._rename(bound)
                alias.asname = new if new != alias.name else None
        return node

    def _visit_function(self, node: _Function, body: list[ast.stmt] | list[ast.expr]) -> None:
        arguments = node.args
        arguments.defaults = [self.visit(value) for value in arguments.defaults]
        arguments.kw_defaults = [value and self.visit(value) for value in arguments.kw_defaults]
        names = {argument.arg for argument in walk(arguments) if isinstance(argument, ast.arg)}
        self._visit_inside(body, (names | set(bound_in(body))) - set(_declared_in(body)))

    def _visit_comprehension(self, node: _Comprehension) -> ast.expr:
        names = {name for part in ast.iter_child_nodes(node) for name in bound_in([part])}
        first = node.generators[0]
        source = self.visit(first.iter)  # of the enclosing scope
        first.iter = ast.Constant(None)
        self._hidden.append(names)
        self._in_class.append(False)
        self._inner(node)
        self._leave()
        first.iter = source
        return node

    def _visit_inside(self, body: list[ast.stmt] | list[ast.expr], names: set[str], *, is_class: bool = False) -> None:
        self._hidden.append(names)
        self._in_class.append(is_class)
        for part in body:
            self.visit(part)
        self._leave()

    def _leave(self) -> None:
        self._hidden.pop()
        self._in_class.pop()

    def _inner(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return node

    def _is_global(self, name: str) -> bool:
        for depth, names in enumerate(self._hidden):
            is_inner_class = self._in_class[depth] and depth < len(self._hidden) - 1
            if name in names and not is_inner_class:
                return False
        return True


def bound_in(body: list[ast.stmt] | list[ast.expr] | list[ast.AST]) -> Iterator[str]:
    """Yield the names that a scope binds, without those of scopes inside it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        if not isinstance(node, _SCOPE):
            waiting += ast.iter_child_nodes(node)


def _declared_in(body: list[ast.stmt] | list[ast.expr]) -> Iterator[str]:
    for statement in body:
        for node in walk(statement):
            if isinstance(node, ast.Global):
                yield from node.names
