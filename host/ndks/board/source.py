# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Source as it goes to a board, which compiles it at every start: no comments, no docstrings, one space of indentation.

Lines are kept, so that tracebacks name the right ones.
"""

import ast
import io
import tokenize

_INDENT = 4
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def for_board(source: str) -> str:
    """Return a program that does the same, with the same line numbers in its tracebacks."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            _blank(lines, node.body[0], alone=len(node.body) == 1)
    _squeeze(lines, source)
    return "\n".join(lines) + "\n"


def _squeeze(lines: list[str], source: str) -> None:
    """Shorten each level of indentation, where it is one: not within strings."""
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


def _blank(lines: list[str], docstring: ast.stmt, *, alone: bool) -> None:
    first, last = docstring.lineno - 1, docstring.end_lineno or docstring.lineno
    lines[first:last] = [""] * (last - first)
    if alone:
        lines[first] = " " * docstring.col_offset + "pass"
