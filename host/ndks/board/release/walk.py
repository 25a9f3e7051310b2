# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The nodes of a syntax tree, which the steps of the build look through many hundred times."""

import ast
from typing import cast


def walk(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes as `ast.walk` does, in a third of the time, without those that have no parts, such as Load."""
    nodes = [tree]
    for node in nodes:  # to which this adds
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                nodes += [part for part in cast("list[object]", value) if isinstance(part, ast.AST) and part._fields]
            elif isinstance(value, ast.AST) and value._fields:
                nodes.append(value)
    return nodes
