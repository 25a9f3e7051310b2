# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Source as it goes to a board, which compiles it at every start: without comments and docstrings, lines kept."""

import ast
import io
import tokenize

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def without_comments(source: str) -> str:
    """Return a program that does the same, with the same line numbers in its tracebacks."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            _blank(lines, node.body[0], alone=len(node.body) == 1)
    return "\n".join(lines) + "\n"


def _blank(lines: list[str], docstring: ast.stmt, *, alone: bool) -> None:
    first, last = docstring.lineno - 1, docstring.end_lineno or docstring.lineno
    lines[first:last] = [""] * (last - first)
    if alone:
        lines[first] = " " * docstring.col_offset + "pass"
