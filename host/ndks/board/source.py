# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Shortened source for a board, which compiles it at every start.

Comments, docstrings, annotations, imports for annotations and abstract methods are removed, and indentation becomes one
space per level. Line numbers stay, so that tracebacks name the right lines.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping

# Of source that a unit loads while it enters a generation: 23 KB are reserved for that. In a network without
# generations a unit loads 101 KB, which leave 32 KB of heap in a session at d = 3; one with generations needs the
# release build.
LARGEST_SOURCE = 124 * 1024

_NOT_LOADED = {"plain_lanes.py", "boot.py", "safemode.py"}  # CircuitPython runs the last two separately
# A unit loads only one of these: the fast algorithm for its d, or the exact generator with operators beyond equation 7.
_OF_ONE_NETWORK = (
    {"table_bits.py", "packing.py"},
    {"lanes.py", "lane_bits.py"},
    {"keystream.py", "operators.py", "fixed_point.py", "frequencies.py", "powers.py"},
)
# Loaded for one task, or for networks with generations. A member loads the largest ones of a group together, and in a
# session those for a notice; a blank unit has more room.
_GROUPS = (
    ("ndks_protocol/curve25519.py", "ndks_protocol/public_key.py", "/on_demand/trust.py"),
    (
        *("/control/__init__.py", "/control/limits.py", "/control/capsules.py", "/control/notice.py"),
        *("/control/ladder.py", "/network/layout.py", "/network/held.py", "/network/epochs.py", "/network/entering.py"),
    ),
)
_OF_TASKS = (
    *("ndks_protocol/curve25519.py", "ndks_protocol/public_key.py", "ndks_protocol/x25519.py"),
    *("ndks_protocol/sealed_package.py", "ndks_protocol/control/", "/on_demand/", "ndks_unit/network/"),
)
_STAY = ("/on_demand/__init__.py", "ndks_unit/network/__init__.py")
_OF_TYPES = {"typing", "collections.abc"}
_OURS = {"ndks_protocol", "ndks_unit"}
_INDENT = 4
_Block = ast.Module | ast.ClassDef | ast.FunctionDef

_Span = tuple[int, int, int, int]  # first line, column in bytes, last line, column after it; as `ast` counts


def for_board(source: str) -> str:
    """Return a shorter program of the same behaviour and with the same line numbers."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    tree = ast.parse(source)
    for span in sorted(_annotations(tree, lines), reverse=True):  # from the end, so that earlier columns stay valid
        _cut(lines, span)
    _blank_idle_statements(lines, tree)
    _drop_unused_names(lines)
    _squeeze(lines, source)
    return "\n".join(lines) + "\n"


def loaded_size(sizes: Mapping[str, int]) -> int:
    """Return the maximum size of the code that a unit holds at a time, for any network, from sizes by path."""
    sizes = {path: size for path, size in sizes.items() if path.rpartition("/")[2] not in _NOT_LOADED}
    choices = [_size_of(sizes, names) for names in _OF_ONE_NETWORK]
    passing = {path: size for path, size in sizes.items() if _is_loaded_on_demand(path)}
    together = [sum(size for path, size in passing.items() if path.endswith(group)) for group in _GROUPS]
    return sum(sizes.values()) - sum(choices) + max(choices) - sum(passing.values()) + max(together)


def heap_size(text: bytes) -> int:
    """Return about how much heap a module takes: its characters, but for a bytes literal its bytes."""
    source = text.decode()
    literals = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    escaped = [
        len(ast.get_source_segment(source, node) or "") - len(node.value)
        for node in literals
        if isinstance(node.value, bytes)
    ]
    return len(text) - sum(escaped)


def _is_loaded_on_demand(path: str) -> bool:
    return any(part in path for part in _OF_TASKS) and not path.endswith(_STAY)


def _size_of(sizes: Mapping[str, int], names: set[str]) -> int:
    return sum(size for path, size in sizes.items() if path.rpartition("/")[2] in names)


def _annotations(tree: ast.Module, lines: list[str]) -> Iterator[_Span]:
    """Yield the spans of the annotations with their colon or arrow."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            yield node.lineno, node.col_offset + len(node.arg.encode()), *_end(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            row = node.returns.lineno
            before = lines[row - 1].encode()[: node.returns.col_offset]
            yield row, len(before[: before.rindex(b"->")].rstrip()), *_end(node.returns)
        elif isinstance(node, ast.AnnAssign) and node.value:
            yield *_end(node.target), *_end(node.annotation)


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _cut(lines: list[str], span: _Span) -> None:
    row, start, last, end = span
    rest = lines[last - 1].encode()[end:].decode()
    lines[row - 1 : last] = [lines[row - 1].encode()[:start].decode() + rest, *[""] * (last - row)]


def _blank_idle_statements(lines: list[str], block: _Block) -> None:
    """Blank the statements of a block that do nothing on a board; replace a block of nothing else by `pass`."""
    idle = [statement for statement in block.body if _is_idle(statement)]
    for statement in idle:
        first, last = _first_line(statement) - 1, statement.end_lineno or statement.lineno
        lines[first:last] = [""] * (last - first)
    if idle == block.body and not isinstance(block, ast.Module):
        lines[_first_line(idle[0]) - 1] = " " * idle[0].col_offset + "pass"
    for statement in block.body:
        if isinstance(statement, _Block) and statement not in idle:
            _blank_idle_statements(lines, statement)


def _first_line(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, ast.FunctionDef) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)  # a docstring
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    if isinstance(statement, ast.FunctionDef):
        does = [ast.unparse(part) for part in statement.body if not _is_idle(part)]
        return does == ["raise NotImplementedError"]
    return isinstance(statement, ast.Try) and _is_for_types(statement)


def _is_for_types(statement: ast.Try) -> bool:
    """Return whether a try statement imports only what type checkers need, and nothing that a board may have."""
    only_passes = all(isinstance(done, ast.Pass) for handler in statement.handlers for done in handler.body)
    return only_passes and all(isinstance(part, ast.ClassDef) or _has_types(part) for part in statement.body)


def _has_types(statement: ast.stmt) -> bool:
    """Return whether this is an import from a module of types, or of ours, which a board would import unguarded."""
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) == "TYPE_CHECKING"
    if not isinstance(statement, ast.ImportFrom):
        return False
    module = statement.module or ""
    return bool(statement.level) or module in _OF_TYPES or module.partition(".")[0] in _OURS


def _drop_unused_names(lines: list[str]) -> None:
    """Drop imported names that only annotations used. The linter has removed all other unused names."""
    tree = ast.parse("\n".join(lines))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if "__all__" in used:
        return
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            names = [ast.unparse(alias) for alias in statement.names if (alias.asname or alias.name) in used]
            first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
            lines[first:last] = [""] * (last - first)
            if names:
                source = "." * statement.level + (statement.module or "")
                lines[first] = f"from {source} import {', '.join(names)}"


def _squeeze(lines: list[str], source: str) -> None:
    """Shorten each level of indentation to one space, outside of strings."""
    inside = {
        row
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.STRING
        for row in range(token.start[0], token.end[0])
    }
    for row, line in enumerate(lines):
        text = line.lstrip(" ")
        if row not in inside:
            lines[row] = " " * ((len(line) - len(text)) // _INDENT) + text
