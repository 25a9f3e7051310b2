# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The HTML page of the report: one file without scripts, with all values escaped."""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import jinja2
import numpy as np

from ndks.whole_file import whole_file

from . import outcomes, readable
from .plots import Plot

HTML, JSON = "report.html", "report.json"


def render(report: Mapping[str, Any], plots: Sequence[Plot]) -> str:
    """Return the HTML of a report; missing parts are omitted or marked as missing."""
    return str(_environment().get_template("report.html.j2").render(report=report, plots=plots))


def write_report(directory: Path, report: Mapping[str, Any], plots: Sequence[Plot]) -> None:
    """Write report.json and report.html. TypeError for values that JSON cannot hold."""
    plain = _plain(report)
    directory.mkdir(parents=True, exist_ok=True)
    data = json.dumps(plain, indent=1, allow_nan=False).encode("ascii")
    page = render(plain, plots).encode("utf-8", "backslashreplace")  # file names may contain lone surrogates
    for name, content in ((JSON, data), (HTML, page)):
        with whole_file(directory / name, private=False) as file:
            file.write(content)


class _Environment(jinja2.Environment):
    """An environment in which `a["keys"]` is a field of a mapping, never its method."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            fields = cast(Mapping[Any, Any], obj)
            return fields[argument] if argument in fields else self.undefined(obj=fields, name=argument)
        return super().getitem(obj, argument)


@functools.cache
def _environment() -> Any:
    environment: Any = _Environment(  # the stubs lack the types of filters
        loader=jinja2.PackageLoader(__name__.rpartition(".")[0], "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,  # missing values are shown as missing
    )
    for function in (readable.moment, readable.number, readable.power_of_ten, readable.probability, readable.seconds):
        environment.filters[function.__name__] = function
    environment.filters |= {"value": readable.value, "words": readable.words}
    environment.filters |= {"columns": _columns, "requirement": outcomes.requirement}
    environment.globals |= {"outcomes": outcomes}
    return environment


def _columns(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the field names of records in the order of their first appearance."""
    return list(dict.fromkeys(name for record in records for name in record))


def _plain(value: Any) -> Any:
    """Return a value as plain JSON types, with None for NaN and infinities."""
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(cast(Any, value).tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast(Sequence[Any], value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
