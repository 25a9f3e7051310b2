# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The report of a homologation: a self-contained HTML file, and the same data as JSON."""

from .page import render, write_report
from .plots import Plot, autocorrelation, hamming, key_raster, spectrum

__all__ = ["Plot", "autocorrelation", "hamming", "key_raster", "render", "spectrum", "write_report"]
