# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the steps of the build would change without an error, and therefore refuse."""

import ast
import builtins
from collections.abc import Iterator

from .program import BuildError, Module, Program, aliases, origin
from .walk import walk

_TAKE_A_NAME = {"getattr", "hasattr", "setattr", "delattr"}  # as their second argument


def check(program: Program) -> None:
    """Raise BuildError for code whose meaning a step would change."""
    packages = {name.partition(".")[0] for name in program}
    rebound = {name: _declared_global(module) for name, module in program.items()}
    for module in program.values():
        for node in walk(module.tree):
            for advice in _advice(program, module, node, packages, rebound):
                raise BuildError(f"{module.name}: {advice} `{ast.unparse(node).splitlines()[0]}`")


def _advice(
    program: Program, module: Module, node: ast.AST, packages: set[str], rebound: dict[str, set[str]]
) -> Iterator[str]:
    """Yield what to write in place of a node, up to the node's own text."""
    if isinstance(node, ast.Import) and any(alias.name.partition(".")[0] in packages for alias in node.names):
        yield "write `from ... import` in place of"
    elif isinstance(node, ast.ImportFrom) and any(
        alias.name in rebound.get(origin(module, node), ()) for alias in node.names
    ):
        yield "import the module, and write `module.NAME`, because the module binds the name again, in place of"
    elif isinstance(node, ast.Call) and not _has_plain_names(node):
        yield "names are replaced, but not in this text: write each name as a text of its own in place of"
    elif isinstance(node, ast.ClassDef) and not all(_is_known_base(program, module, base) for base in node.bases):
        yield "a method may get the name of an inherited one: keep an object of the base in an attribute, in place of"


def _declared_global(module: Module) -> set[str]:
    return {name for node in walk(module.tree) if isinstance(node, ast.Global) for name in node.names}


def _has_plain_names(call: ast.Call) -> bool:
    """Return whether a call that takes names as texts has each of them as a text of its own."""
    function = ast.unparse(call.func).rpartition(".")[2]
    if function == "namedtuple":
        return len(call.args) > 1 and isinstance(call.args[1], ast.Tuple | ast.List)
    if function in _TAKE_A_NAME:
        return len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    return True


def _is_known_base(program: Program, module: Module, base: ast.expr) -> bool:
    """Return whether a base is a class of the program, or an exception, whose attributes no new name may take."""
    first = ast.unparse(base).partition(".")[0]
    builtin = getattr(builtins, first, None)
    imports = [node for node in walk(module.tree) if isinstance(node, ast.ImportFrom)]
    own = {node.name for node in walk(module.tree) if isinstance(node, ast.ClassDef)}
    if first in own or first in dict(aliases(program, module, list(imports))):
        return True
    return isinstance(builtin, type) and issubclass(builtin, BaseException)
