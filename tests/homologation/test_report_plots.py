# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the plots: correct content and reproducible bytes."""

import base64
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from homologation.example_report import example_plots
from PIL import Image

from ndks_laboratory.homologation.report import Plot, autocorrelation, hamming, key_raster, spectrum
from ndks_laboratory.homologation.report.canvas import Decimated

TESTS = Path(__file__).parents[1]
PROGRAM = """
import hashlib, sys
from homologation.example_report import example_plots
print(hashlib.sha256("".join(plot.markup for plot in example_plots()).encode()).hexdigest())
print("matplotlib.pyplot" in sys.modules)
"""


def image_of(plot: Plot) -> bytes:
    return base64.b64decode(plot.markup.partition("base64,")[2].partition('"')[0])


def test_same_data_give_the_same_bytes_in_any_process_and_configuration() -> None:
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        here = hashlib.sha256("".join(plot.markup for plot in example_plots()).encode()).hexdigest()
    assert dict(mpl.rcParams) == before
    environment = os.environ | {"PYTHONHASHSEED": "5", "PYTHONPATH": str(TESTS)}
    there = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.split() == [here, "False"]  # pyplot would keep every figure in memory


def test_drawings_name_neither_date_nor_program() -> None:
    for plot in example_plots()[1:]:
        drawing = image_of(plot).decode()
        ElementTree.fromstring(drawing)
        assert "dc:date" not in drawing
        assert "matplotlib.org" not in drawing


@pytest.mark.parametrize("side", [256, 20])
def test_raster_shows_each_element(side: int) -> None:
    bits = np.random.default_rng(3).integers(0, 2, side * side + 5, dtype=np.uint8)
    plot = key_raster(bits)
    pixels = np.asarray(Image.open(io.BytesIO(image_of(plot))).convert("L"))
    cell = 768 // side
    panel = pixels[75 + cell // 2 : 75 + side * cell : cell, 130 + cell // 2 : 130 + side * cell : cell]
    assert ((panel < 128).ravel() == bits[: side * side]).all()
    assert f"{side * side:,} elements" in plot.caption


def test_raster_compares_with_bits_that_are_even() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(image_of(key_raster(np.zeros(65536, np.uint8))))).convert("L"))
    left = 768 + 2 * 130
    assert abs((pixels[76:840, left : left + 764] < 128).mean() - 0.5) < 0.02


def test_peaks_survive_decimation() -> None:
    values = np.ones(1_000_003)
    values[[0, 123_456, 1_000_002]] = 7, 99, 8
    bins = Decimated(values)
    assert len(bins.largest) == 1200
    assert sorted(bins.largest)[-3:] == [7, 8, 99]
    assert abs(bins.middle[bins.largest.argmax()] - 123_456) <= bins.per_bin / 2
    assert (bins.peak, bins.peak_value) == (123_456, 99)


def test_captions_tell_the_largest() -> None:
    power = np.ones(1 << 16)
    power[(1 << 14) - 1] = 123.4
    assert "Largest: 123 at 0.125 cycles per element; threshold 24" in spectrum(power, 24.0).caption
    sigmas = np.zeros(50_000)
    sigmas[70] = -9.5
    assert "Largest: 9.5 at lag 71; threshold 6.7" in autocorrelation(sigmas, 6.7).caption
    places = {"p1": np.full((40, 3), 0.5), "p2": np.zeros((40, 3))}
    assert "p1 or p2" in hamming(places, 0.42, 0.58).caption


@pytest.mark.parametrize("size", [1, 2, 1199, 1201])
def test_few_values_can_be_drawn(size: int) -> None:
    for plot in (spectrum(np.ones(size), 20.0), autocorrelation(np.zeros(size), 5.0)):
        ElementTree.fromstring(image_of(plot).decode())
    assert image_of(key_raster(np.ones(size, np.uint8))).startswith(b"\x89PNG")
    assert image_of(hamming({"p1": np.zeros((1, size))}, 0.4, 0.6)).startswith(b"<?xml")


def test_nothing_cannot_be_drawn() -> None:
    for draw in (
        lambda: key_raster(np.zeros(0, np.uint8)),
        lambda: spectrum([], 1.0),
        lambda: autocorrelation([], 1.0),
    ):
        with pytest.raises(ValueError, match="nothing to draw"):
            draw()
