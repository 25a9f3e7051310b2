# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Removal of what no code of the board names: constants after folding, imports, and functions for hosts only.

Strategy: a name stays if any code loads it, imports it, has an attribute of this name, or has a text that looks like
it; and a value stays if its computation might do anything. Removal frees other names, so it is repeated.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from .program import Module, Program, origin, reads_all_names
from .walk import walk

_ON_DEMAND = ".on_demand."  # the dispatcher imports the modules below by the names of their files
_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*\.?")
_PURE = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Name, ast.Attribute, ast.UnaryOp, ast.BinOp),
    *(ast.expr_context, ast.operator, ast.unaryop),
)
_PURE_CALLS = {"bytes", "bytearray", "frozenset", "len", "range", "tuple"}
_DECORATORS = {"classmethod", "property", "staticmethod"}
_Test = Callable[[str], bool]


def remove_unused(program: Program, roots: tuple[str, ...], outside: frozenset[str]) -> Program:
    """Remove names that nothing uses, then modules that nothing imports.

    `outside` has the names by which CircuitPython may call a method.
    """
    wanted = reachable(program, roots)  # what only a host imports is not used here
    program = {name: module for name, module in program.items() if name in wanted}
    for module in program.values():
        if "__all__" not in _loaded(module.tree):  # then it only serves `from ... import *`, which the linter refuses
            module.tree.body = [node for node in module.tree.body if not _lists_public_names(node)]
    while _remove_once(program, _Uses(program, outside)):
        pass
    wanted = reachable(program, roots)
    return {name: module for name, module in program.items() if name in wanted}


def _lists_public_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"


def _remove_once(program: Program, uses: "_Uses") -> bool:
    """Remove what is unused by now, and return whether there was anything."""
    changed = [uses.remove_others(module) for module in program.values()]
    return any(changed)


def names_in_texts(program: Program) -> set[str]:
    """Return the names, and the parts of dotted names, that occur as texts: code may look them up."""
    return {part for text in _texts(program) if _NAME.fullmatch(text) for part in text.split(".")}


def on_demand(program: Program) -> set[str]:
    """Return the modules that the program loads by their names as texts, with or without the package."""
    texts = _texts(program)
    return {name for name in program if _ON_DEMAND in name or ("." in name and name in texts)}


def _texts(program: Program) -> set[str]:
    constants = (node for module in program.values() for node in walk(module.tree) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


class _Uses:
    """Which names of a program something uses."""

    def __init__(self, program: Program, outside: frozenset[str]) -> None:
        self._outside = outside
        self._anywhere = names_in_texts(program)
        self._imported: defaultdict[str, set[str]] = defaultdict(set)
        for module in program.values():
            for node in walk(module.tree):
                if isinstance(node, ast.Attribute):
                    self._anywhere.add(node.attr)
                elif isinstance(node, ast.ImportFrom):
                    self._imported[origin(module, node)].update(alias.name for alias in node.names)

    def remove_others(self, module: Module) -> bool:
        """Remove the unused names of a module, and return whether there were any."""
        if reads_all_names(module.tree):
            return False
        used = self._anywhere | self._imported[module.name] | _loaded(module.tree)
        classes = [node for node in walk(module.tree) if isinstance(node, ast.ClassDef)]
        before = _definitions(module.tree, *classes)
        _keep(module.tree, lambda name: name in used or name.startswith("__"))
        for node in classes:
            _keep(node, lambda name: name in used or name in self._outside or name.startswith("__"))
            node.body = node.body or [ast.Pass()]
        return _definitions(module.tree, *classes) != before


def _definitions(*blocks: ast.Module | ast.ClassDef) -> list[ast.AST]:
    """Return what may be removed: the statements of blocks, and in place of an import its names."""
    statements = [node for block in blocks for node in block.body if not isinstance(node, ast.Pass)]
    return [
        part
        for node in statements
        for part in (node.names if isinstance(node, ast.Import | ast.ImportFrom) else [node])
    ]


def _loaded(tree: ast.Module) -> set[str]:
    names = {node.id for node in walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
    return names.union(*(node.names for node in walk(tree) if isinstance(node, ast.Global)))


def _keep(block: ast.Module | ast.ClassDef, is_used: _Test) -> None:
    block.body = [kept for node in block.body for kept in _kept(node, is_used)]


def _kept(node: ast.stmt, is_used: _Test) -> Iterator[ast.stmt]:
    """Yield what is left of a statement: all, a part or nothing."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        node.names = [alias for alias in node.names if is_used((alias.asname or alias.name).partition(".")[0])]
        yield from [node] * bool(node.names)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        yield from _kept_assignment(node, node.targets[0], is_used)
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield from [node] * (is_used(node.name) or not _defines_only(node))
    elif not isinstance(node, ast.Pass):
        yield node


def _kept_assignment(node: ast.Assign, target: ast.expr, is_used: _Test) -> Iterator[ast.stmt]:
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs if all(_is_number(value) for value in node.value.elts) else []:
            yield from _kept_assignment(ast.Assign([name], value, lineno=node.lineno), name, is_used)
        if pairs and all(_is_number(value) for value in node.value.elts):
            return
    if not isinstance(target, ast.Name) or is_used(target.id) or not _is_pure(node.value):
        yield node


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _is_pure(node: ast.AST) -> bool:
    """Return whether the computation of a value does nothing else."""
    if isinstance(node, ast.Call):
        is_pure = isinstance(node.func, ast.Name) and node.func.id in _PURE_CALLS
        return is_pure and not node.keywords and all(map(_is_pure, node.args))
    return isinstance(node, _PURE) and all(map(_is_pure, ast.iter_child_nodes(node)))


def _defines_only(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Return whether a definition does nothing but bind its name."""
    if isinstance(node, ast.FunctionDef):
        defaults = [*node.args.defaults, *(value for value in node.args.kw_defaults if value)]
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        return decorators <= _DECORATORS and all(map(_is_pure, defaults))
    if node.decorator_list or not all(map(_is_pure, node.bases)):
        return False
    return all(_does_nothing_else(part) for part in node.body)


def _does_nothing_else(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return _defines_only(node)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Assign) and _is_pure(node.value))


def reachable(program: Program, roots: tuple[str, ...]) -> set[str]:
    """Return the modules that the roots import, directly or not, with their packages, and those on demand."""
    found: set[str] = set()
    waiting = [*roots, *on_demand(program)]
    while waiting:
        name = waiting.pop()
        if name in found or name not in program:
            continue
        found.add(name)
        waiting.append(name.rpartition(".")[0])
        for node in walk(program[name].tree):
            if isinstance(node, ast.ImportFrom):
                source = origin(program[name], node)
                waiting += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return found
