# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Removes the texts of errors that a unit catches itself: it answers with codes, and the texts take 1 KB of heap."""

import ast

from .program import Module, Program

_CAUGHT = {"ValueError", "OSError"}  # others are shown on the development console


def without_texts(program: Program) -> Program:
    """Raise these errors without arguments."""
    return {name: _without_texts(module) for name, module in program.items()}


def _without_texts(module: Module) -> Module:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in _CAUGHT:
            node.exc = node.exc.func
    return module
