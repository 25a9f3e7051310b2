# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The rooms of the code, one folder of a package each, and the arrows between them: the imports in the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ndks.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "ndks_laboratory": "host",
    "ndks_gateways": "host",
    "ndks_pytest": "host",
    "ndks": "host",
    "ndks_chip": "emulator/chip",
    "ndks_emulator": "emulator",
    "ndks_unit": "firmware",
    "ndks_protocol": "protocol",
}
BASE = "ndks: files, errors"  # the modules at the top of the host's package, which all of its rooms may import
OF_COMMANDS = {f"ndks.cli.{module}" for module, _ in COMMANDS.values()}
Arrow = tuple[str, str]


def purposes() -> dict[str, str]:
    """Return the rooms, and what each is for in the words of its package's docstring."""
    found: dict[str, str] = {}
    for module, path in modules().items():
        text = ast.get_docstring(ast.parse(path.read_text())) or "" if path.stem == "__init__" else ""
        found[room_of(module)] = found.get(room_of(module)) or text.partition("\n")[0]
    return found


def arrows() -> dict[Arrow, bool]:
    """Return the arrows from room to room; True for one that is made only when it is needed."""
    found: dict[Arrow, bool] = {}
    when_named = loaded_when_named()
    for module, name, is_late in imports():
        arrow = room_of(module), room_of(name)
        if arrow[0] != arrow[1]:
            found[arrow] = found.get(arrow, True) and (is_late or module in when_named)
    return found


def loaded_when_named() -> set[str]:
    """Return the modules that are loaded when their command is named: its own, and those that only such ones import."""
    importers: dict[str, set[str]] = {}
    own = {module for module in modules() if module.startswith("ndks.cli.")}
    for module, name, is_late in imports():
        for imported in (name, name.rpartition(".")[0]):
            if imported in own and not is_late:
                importers.setdefault(imported, set()).add(module)
    found = set(OF_COMMANDS)
    while more := {module for module, by in importers.items() if by <= found} - found:
        found |= more
    return found


def imports() -> Iterator[tuple[str, str, bool]]:
    """Yield each importing module, the name that it imports, and whether it does so in a function."""
    for module, path in modules().items():
        tree = ast.parse(path.read_text())
        at_start = {id(node) for node in tree.body}
        for node, name in _imports(tree, module if path.stem == "__init__" else module.rpartition(".")[0]):
            yield module, name, id(node) not in at_start


def modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for package, top in PACKAGES.items():
        for path in sorted((ROOT / top / package).rglob("*.py")):
            parts = path.relative_to(ROOT / top).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(name: str) -> str:
    """Return the room of a module, or of a name in one: modules at the top of a package share a room.

    `import ndks` imports the public names, from `ndks.api`: a room above those that define these names.
    """
    parts = name.split(".")
    room = "ndks.cli" if name == "ndks.__main__" else ".".join(parts[:2])
    if len(parts) > 1 and _folder(room).is_dir():
        return room
    is_module = parts[1:] and room != "ndks.api" and _folder(room).with_suffix(".py").is_file()
    return BASE if parts[0] == "ndks" and is_module else parts[0]


def _folder(room: str) -> Path:
    return ROOT / PACKAGES[room.partition(".")[0]] / room.replace(".", "/")


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each import of ours, and the name that it brings."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            above = parents[: len(parents) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        yield from ((node, name) for name in names if name.partition(".")[0] in PACKAGES)
