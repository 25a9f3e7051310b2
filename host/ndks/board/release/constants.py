# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whole numbers and truth values that are constants of modules, written where they are used.

Strategy: a constant is a name that its module binds once, at the top, to a value that is known here; no scope of the
module binds the name again, and no module assigns to it from outside. So every use has this value, and a use by an
import or by `module.NAME` has it too. An `if` with a known condition leaves one branch.
"""

import ast

from .arithmetic import Value, binary, unary
from .program import BuildError, Module, Program, Target, aliases, binders, defined_at, rebinds_by_text
from .walk import walk

_Key = tuple[str, str]  # module and name

_INTERPRETER = "sys.implementation.name"  # a board's, so that what is only for a PC is left out
_BOARD = "circuitpython"


def fold_constants(program: Program) -> Program:
    """Write constants where they are used; their definitions stay."""
    known = _Known(program)
    while known.learn():
        pass
    for module in program.values():
        known.replace_in(module)
    return program


class _Known:
    """The constants of a program found so far."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._values: dict[_Key, Value] = {}
        self._once = {name: _bound_once(module) for name, module in program.items()}
        self._aliases = {name: dict(aliases(program, module, module.tree.body)) for name, module in program.items()}
        self._refuse_outside_assignments()

    def learn(self) -> bool:
        """Find constants whose values are known by now, and return whether there were any."""
        before = len(self._values)
        for module in self._program.values():
            for node in module.tree.body:
                for name, value in _assigned(node):
                    known = self.value(module, value) if name in self._once[module.name] else None
                    if known is not None:
                        self._values[module.name, name] = known
        return len(self._values) > before

    def value(self, module: Module, node: ast.expr) -> Value | None:
        """Return the value of an expression, or None if it is not known."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, int | str) else None
        if isinstance(node, ast.Name | ast.Attribute):
            return self._named(module, node)
        if isinstance(node, ast.UnaryOp):
            return unary(node.op, self.value(module, node.operand))
        if isinstance(node, ast.BinOp):
            return binary(node.op, self.value(module, node.left), self.value(module, node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(module, node.left, node.ops[0], node.comparators[0])
        return None

    def replace_in(self, module: Module) -> None:
        _Writer(self, module).visit(module.tree)
        ast.fix_missing_locations(module.tree)

    def _named(self, module: Module, node: ast.Name | ast.Attribute) -> Value | None:
        if ast.unparse(node) == _INTERPRETER:
            return _BOARD
        if isinstance(node, ast.Name):
            if node.id not in self._once[module.name]:
                return None
            target = self._aliases[module.name].get(node.id, Target(module.name, node.id))
        else:
            if not isinstance(node.value, ast.Name) or node.value.id not in self._once[module.name]:
                return None
            base = self._aliases[module.name].get(node.value.id)
            if base is None or base.name:
                return None
            target = defined_at(self._program, Target(base.module, node.attr))
        return self._values.get((target.module, target.name))

    def _compared(self, module: Module, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        one = self.value(module, left)
        if isinstance(op, ast.In) and isinstance(right, ast.Tuple):
            values = [self.value(module, element) for element in right.elts]
            return None if one is None or None in values else one in values
        other = self.value(module, right)
        if one is None or other is None or not isinstance(op, ast.Eq | ast.NotEq):
            return None
        return (one == other) == isinstance(op, ast.Eq)

    def _refuse_outside_assignments(self) -> None:
        for module in self._program.values():
            imports = [node for node in walk(module.tree) if isinstance(node, ast.ImportFrom)]
            found = dict(aliases(self._program, module, list(imports)))  # also those within functions
            for node in walk(module.tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    base = found.get(node.value.id)
                    if base and not base.name and not isinstance(node.ctx, ast.Load):
                        raise BuildError(f"{module.name}: assigns to {ast.unparse(node)} of another module")


class _Writer(ast.NodeTransformer):
    """Writes the constants of a module where they are used."""

    def __init__(self, known: _Known, module: Module) -> None:
        self._known = known
        self._module = module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._written(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        written = self._written(node)
        if not written:
            self.generic_visit(node)
        return written or node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self._written(node) or _visited(self, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return self._written(node) or _visited(self, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return self._written(node) or _visited(self, node)

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        condition = self._known.value(self._module, node.test)
        self.generic_visit(node)
        if condition is None:
            return node
        return (node.body if condition else node.orelse) or ast.Pass()

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        condition = self._known.value(self._module, node.test)
        self.generic_visit(node)
        return node if condition is None else node.body if condition else node.orelse

    def _written(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return None
        value = self._known.value(self._module, node)
        if not isinstance(value, int):
            return None
        return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _visited(writer: ast.NodeTransformer, node: ast.expr) -> ast.expr:
    writer.generic_visit(node)
    return node


def _bound_once(module: Module) -> set[str]:
    """Return the names that a module binds once, at its top."""
    if rebinds_by_text(module.tree):
        return set()
    top = {name for node in module.tree.body for name in _bound_by(node)}
    return {name for name, count in binders(module.tree).items() if count == 1 and name in top}


def _bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return [name for name, _ in _assigned(node)]


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Return the names that an assignment binds, with their values."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return []
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple) or len(target.elts) != len(value.elts):
        return []
    pairs = zip(target.elts, value.elts, strict=True)
    return [(name.id, part) for name, part in pairs if isinstance(name, ast.Name)]
