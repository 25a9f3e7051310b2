# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Matplotlib figures as inline images, reproducible whatever the user's configuration."""

import base64
import contextlib
import io
from collections.abc import Generator
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

Drawing = Any  # figures and axes: matplotlib's stubs lack the types of keywords, which strict checking refuses

BLUE, VERMILION, GREY = (
    "#0072b2",
    "#d55e00",
    "#5f6b76",
)  # of Okabe and Ito: distinguishable for the colour-blind and in print
_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "grid.color": "#e3e7ea",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "svg.fonttype": "path",  # independent of installed fonts
    "svg.hashsalt": "ndks",
    "xtick.color": "#33404a",
    "ytick.color": "#33404a",
}
_WIDTH = 8.0  # inches
_DOTS = 220  # per inch, of rasters
_PANEL, _LEFT, _RIGHT, _BELOW, _ABOVE = 768, 130, 25, 110, 75  # dots
_BINS = 1200  # more than a screen or printer resolves at that width


@contextlib.contextmanager
def style() -> Generator[None]:
    """Use matplotlib's defaults and the style above, and ignore any matplotlibrc."""
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
    with cast(Any, mpl).rc_context(defaults | _STYLE):
        yield


def new_figure(height: float, columns: int = 1) -> tuple[Drawing, list[Drawing]]:
    """Return a figure of `height` inches, and its axes side by side."""
    figure: Drawing = Figure(figsize=(_WIDTH, height))
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def raster_figure(side: int) -> tuple[Drawing, list[Drawing]]:
    """Return a figure and two square axes of side x side elements, each of the same whole number of dots."""
    panel = side * max(1, _PANEL // side)
    width, height = 2 * panel + 2 * _LEFT + _RIGHT, panel + _BELOW + _ABOVE
    figure: Drawing = Figure(figsize=(width / _DOTS, height / _DOTS), dpi=_DOTS)
    figure.set_layout_engine("none")
    lefts = (_LEFT, panel + 2 * _LEFT)
    where = [(left / width, _BELOW / height, panel / width, panel / height) for left in lefts]
    return figure, [figure.add_axes(each) for each in where]


def as_svg(figure: Drawing, description: str) -> Markup:
    """Return an <img> of a drawing as SVG, whose styles and ids are separate from the page."""
    stream = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    canvas: Drawing = FigureCanvasSVG(figure)
    canvas.print_svg(stream, metadata=nothing)
    return _image("svg+xml", stream.getvalue().encode(), description)


def as_png(figure: Drawing, description: str) -> Markup:
    """Return an <img> of a drawing as PNG."""
    stream = io.BytesIO()
    canvas: Drawing = FigureCanvasAgg(figure)
    canvas.print_png(stream, metadata={"Software": None})
    return _image("png", stream.getvalue(), description)


def _image(kind: str, data: bytes, description: str) -> Markup:
    encoded = base64.b64encode(data).decode("ascii")
    return Markup('<img alt="{}" src="data:image/{};base64,{}">').format(description, kind, encoded)


class Decimated:
    """Values reduced to the bins of a drawing: the largest of each bin, so that no peak is lost, and the mean."""

    def __init__(self, values: npt.ArrayLike) -> None:
        given = np.asarray(values, dtype=np.float64).ravel()
        if not given.size:
            raise ValueError("there is nothing to draw")
        starts = np.unique(np.linspace(0, given.size, min(_BINS, given.size), endpoint=False, dtype=np.int64))
        sizes = np.diff(np.append(starts, given.size))
        self.largest = np.maximum.reduceat(given, starts)
        self.mean = np.add.reduceat(given, starts) / sizes
        self.middle = starts + (sizes - 1) / 2  # indices into the values
        self.per_bin = int(sizes.max())
        self.peak = int(given.argmax())
        self.peak_value = float(given[self.peak])
