# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Values of operators on constants; None where a value is not known, or not worth knowing."""

import ast
from collections.abc import Callable

Value = int | str | bool

_LARGEST = 1 << 128

_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.Mod: int.__mod__,
    ast.LShift: int.__lshift__,
    ast.RShift: int.__rshift__,
    ast.BitOr: int.__or__,
    ast.BitAnd: int.__and__,
    ast.BitXor: int.__xor__,
}


def unary(op: ast.unaryop, value: Value | None) -> Value | None:
    if value is None:
        return None
    if isinstance(op, ast.Not):
        return not value
    if isinstance(value, str):
        return None
    return -value if isinstance(op, ast.USub) else ~int(value) if isinstance(op, ast.Invert) else value


def binary(op: ast.operator, left: Value | None, right: Value | None) -> Value | None:
    if not isinstance(left, int) or not isinstance(right, int) or type(op) not in _BINARY:
        return None
    if isinstance(op, ast.LShift | ast.RShift) and not 0 <= right <= 128:
        return None
    if isinstance(op, ast.FloorDiv | ast.Mod) and not right:
        return None
    result = _BINARY[type(op)](left, right)
    return result if abs(result) < _LARGEST else None
