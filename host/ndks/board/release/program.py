# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The firmware as a program: its modules, and what their imports of each other name."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..source import for_board
from .walk import walk

# Functions that reach names by text. Where one of them is used, what the program does with a name is not known.
_BY_TEXT = {"globals", "locals", "vars", "eval", "exec", "setattr", "delattr", "dir"}


class BuildError(Exception):
    """The firmware does something that a step of the build cannot keep."""


@dataclass(frozen=True)
class Module:
    """A module by its name with dots; `tree` is changed by the steps of the build."""

    name: str
    is_package: bool
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


Program = dict[str, Module]  # by name, in order of the names


def parsed(sources: Mapping[str, str]) -> Program:
    """Return the program of sources by their paths below lib/ of the drive, without what does nothing on a board."""
    modules: list[Module] = []
    for path, source in sources.items():
        parts = path.removesuffix(".py").split("/")
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(Module(name, is_package, ast.parse(for_board(source))))
    return {module.name: module for module in sorted(modules, key=lambda module: module.name)}


def origin(module: Module, node: ast.ImportFrom) -> str:
    """Return the full name of the module that an import names."""
    if not node.level:
        return node.module or ""
    parents = module.package.split(".")
    above = parents[: len(parents) + 1 - node.level]
    return ".".join([*above, *([node.module] if node.module else [])])


@dataclass(frozen=True)
class Target:
    """What a name of a module stands for: a module of the program, or a name in one."""

    module: str
    name: str = ""  # "": the module itself


def aliases(program: Program, module: Module, statements: list[ast.stmt]) -> Iterator[tuple[str, Target]]:
    """Yield the names that imports among these statements bind to something of the program."""
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            source = origin(module, node)
            for alias in node.names:
                bound, inner = alias.asname or alias.name, f"{source}.{alias.name}"
                if inner in program:
                    yield bound, Target(inner)
                elif source in program:
                    yield bound, defined_at(program, Target(source, alias.name))


def defined_at(program: Program, target: Target) -> Target:
    """Follow a name through modules that only pass it on, to the module that defines it."""
    module = program[target.module]
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == target.name for a in node.names):
            for bound, further in aliases(program, module, [node]):
                if bound == target.name:
                    return further
    return target


def attributes_of(name: str, tree: ast.Module) -> set[str]:
    """Return what a module takes from a name by `name.attribute`."""
    nodes = (node for node in walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == name}


def binders(tree: ast.AST) -> Counter[str]:
    """Count how often each name is bound below a node, in any scope, or declared as global."""
    found: Counter[str] = Counter()
    for node in walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 1
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.alias):
            found[(node.asname or node.name).partition(".")[0]] += 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found[node.name] += 1
    return found


def reads_all_names(tree: ast.AST) -> bool:
    """Return whether a module reads names that it does not write: by `globals().items()`, or as `rebinds_by_text`."""
    return any(isinstance(node, ast.Name) and node.id == "globals" for node in walk(tree)) or rebinds_by_text(tree)


def rebinds_by_text(tree: ast.AST) -> bool:
    """Return whether a module may bind names that it does not write."""
    nodes = walk(tree)
    by_text = {id(node) for node in nodes if isinstance(node, ast.Name) and node.id in _BY_TEXT}
    harmless = {id(part) for node in nodes if by_text and _lists_globals(node) for part in walk(node)}
    return not by_text <= harmless or any(isinstance(node, ast.Attribute) and node.attr == "__dict__" for node in nodes)


def _lists_globals(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "globals().items"
