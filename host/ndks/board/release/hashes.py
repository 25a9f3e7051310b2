# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The places of names in CircuitPython's dicts, to choose new names that are found at once.

A dict has one of a few sizes. A name is looked for at the place of its hash, 8 bits, modulo the size, and then at the
places that follow, up to one that is free (py/map.c, py/qstr.c). So names of a module, a class or an object should have
different places, and so should the names that are first looked for there in vain: builtins in a module, methods in an
object.
"""

import ast
import builtins
import functools
from collections import defaultdict
from collections.abc import Iterator

from .program import Module, Program
from .scopes import bound_in
from .walk import walk

_SIZES = (2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389, 521, 691, 919, 1223, 1627)


class Dicts:
    """The dicts that a program makes when it is loaded, with the places that are taken in each."""

    def __init__(self, program: Program, fixed: frozenset[str]) -> None:
        self._of: defaultdict[str, list[tuple[int, set[int]]]] = defaultdict(list)  # by name: size and taken places
        for module in program.values():
            for members, missed in _dicts(module):
                size = next((size for size in _SIZES if size >= len(members)), len(members) | 1)
                one = (size, set[int]())
                for name in members | missed:
                    self._of[name].append(one)
        for name in sorted(self._of.keys() & fixed):
            self._place(name, hashed(name))

    def best(self, name: str, candidates: list[str]) -> str:
        """Return the first of the candidates whose place is free in all dicts, or in most, and take this place."""
        best, fewest = candidates[0], len(self._of[name]) + 1
        for new in candidates:
            value = hashed(new)
            clashes = sum(value % size in taken for size, taken in self._of[name])
            if clashes < fewest:
                best, fewest = new, clashes
            if not clashes:
                break
        self._place(name, hashed(best))
        return best

    def _place(self, name: str, value: int) -> None:
        for size, taken in self._of[name]:
            taken.add(value % size)


@functools.cache
def hashed(name: str) -> int:
    """Return CircuitPython's hash of a name."""
    value = 5381
    for byte in name.encode():
        value = value * 33 ^ byte
    return value & 0xFF or 1


def _dicts(module: Module) -> Iterator[tuple[set[str], set[str]]]:
    """Yield the names in each dict, and those that are looked for there in vain."""
    loads = {node.id for node in walk(module.tree) if isinstance(node, ast.Name)}
    yield {"__name__", "__file__", *bound_in(module.tree.body)}, loads & set(dir(builtins))
    for node in walk(module.tree):
        if isinstance(node, ast.ClassDef):
            methods = {"__module__", "__qualname__", *bound_in(node.body)}
            yield methods, set()
            yield set(_attributes(node)), methods


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    for part in walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and ast.unparse(part.value) == "self":
            yield part.attr
