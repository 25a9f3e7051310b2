# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fields of a file that people write: each is checked, and an error names it."""

from collections.abc import Callable, Sequence
from typing import Any, cast


class FieldError(ValueError):
    """A field is missing, unknown, or has a value that it cannot have."""


class Fields:
    """The fields of one JSON object; `where` names the object. FieldError."""

    def __init__(self, values: Any, where: str, names: Sequence[str]) -> None:
        if not isinstance(values, dict):
            raise FieldError(f"{where or 'the file'} is not a JSON object")
        self._values = cast(dict[str, Any], values)
        self._where = f"{where}." if where else ""
        for name in names:
            if name not in self._values:
                raise FieldError(f"{self._where}{name} is missing")
        for name in self._values:
            if name not in names:
                raise FieldError(f"{self._where}{name[:40]} is unknown")

    def text(self, name: str, longest: int, *, lines: bool = False) -> str:
        """Return a text that is not empty and is printable; with `lines` it may have several lines."""
        wanted = f"a text of 1 to {longest} characters that print"

        def is_good(value: Any) -> bool:
            is_text = type(value) is str and 0 < len(value) <= longest
            return is_text and all(c.isprintable() or (lines and c in "\r\n\t") for c in value)

        return self._checked(name, is_good, wanted)

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a whole number."""
        return self._checked(name, lambda v: type(v) is int and least <= v <= most, f"a number, {least} to {most}")

    def number(self, name: str, most: float) -> float:
        """Return a number that is not negative."""
        return self._checked(name, lambda v: type(v) in (int, float) and 0 <= v <= most, f"a number, 0 to {most:g}")

    def decision(self, name: str) -> bool | None:
        """Return true or false, or null for what is not decided."""
        return self._checked(name, lambda v: v is None or type(v) is bool, "true, false or null")

    def matching(self, name: str, is_good: Callable[[str], object], wanted: str) -> str:
        """Return a text of some form."""
        return self._checked(name, lambda v: type(v) is str and is_good(v), wanted)

    def items(self, name: str, most: int) -> list[Any]:
        """Return a list."""
        return self._checked(
            name, lambda v: isinstance(v, list) and len(cast(list[Any], v)) <= most, f"a list of at most {most}"
        )

    def _checked(self, name: str, is_good: Callable[[Any], object], wanted: str) -> Any:
        value = self._values[name]
        if not is_good(value):
            raise FieldError(f"{self._where}{name} has to be {wanted}")
        return value
