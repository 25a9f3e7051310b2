# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Headless Chromium, which loads a report as a user's browser does."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from homologation.parsed_page import ParsedPage

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.consumers("chromium|chromium-browser|google-chrome")


def load(page: Path, directory: Path, width: int = 1200) -> tuple[str, list[str]]:
    """Return the DOM and the messages on the console."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"]
    options += [f"--user-data-dir={directory / 'profile'}", f"--window-size={width},2000"]
    finished = subprocess.run(
        [str(BROWSER), *options, page.as_uri()], capture_output=True, text=True, timeout=600, check=True
    )
    return finished.stdout, [line for line in finished.stderr.splitlines() if "CONSOLE" in line]


def check_page(page: Path, report: dict[str, Any], directory: Path) -> None:
    """Check that a page loads without errors, and shows the verdict, every requirement and every plot."""
    dom, console = load(page, directory)
    assert console == []
    parsed = ParsedPage(dom)
    assert parsed.named.pop("verdict")[1:] == report["verdict"]  # after the sign
    assert list(parsed.named) == [row["id"] for row in report["requirements"]]
    for row in report["requirements"]:
        assert re.search(rf"[^\w\s] {row['verdict']}$", parsed.named[row["id"]]), row["id"]
    assert len(parsed.all("img")) == 4
