# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The report page in a browser: no errors, all requirements visible, no overflow."""

import re
from pathlib import Path

import pytest
from homologation.browser import check_page, load, needs_browser
from homologation.example_report import example_plots, example_report
from homologation.parsed_page import changed
from markupsafe import Markup

from ndks_laboratory.homologation.report import Plot, render, write_report

pytestmark = needs_browser

POLICY = re.compile("default-src 'none'")
# A script that puts the elements wider than the page into the title; elements in scrollable regions may be wider.
MEASURE = """<script>
document.documentElement.style.width = "WIDTHpx";
const outside = [...document.querySelectorAll("body *")].filter(
  (element) => element.getBoundingClientRect().right > WIDTH + 1 && !element.parentElement.closest(".scroll"));
document.title = "outside: " + outside.map((element) => element.tagName + "." + element.className).join(" ");
</script></body>"""


@pytest.mark.parametrize("suite", ["hybrid", "paper"])
def test_every_requirement_and_verdict_is_there(suite: str, tmp_path: Path) -> None:
    report = example_report(suite)
    write_report(tmp_path, report, example_plots(suite))
    check_page(tmp_path / "report.html", report, tmp_path)


def test_browser_refuses_what_is_not_in_the_page(tmp_path: Path) -> None:
    foreign = Plot("foreign", "Foreign", "", Markup('<img alt="" src="http://127.0.0.1:9/x.png"><script>1</script>'))
    write_report(tmp_path, example_report(), [foreign])
    _, console = load(tmp_path / "report.html", tmp_path)
    assert sum("Content Security Policy" in line for line in console) == 2


@pytest.mark.parametrize("width", [420, 900, 1200])
def test_nothing_reaches_out_of_the_page(width: int, tmp_path: Path) -> None:
    report = changed(example_report("paper"), lambda text: text + "W" * 300, keep=("verdict", "role"))
    source = render(report, example_plots("paper"))
    source = POLICY.sub("script-src 'unsafe-inline'", source).replace("</body>", MEASURE.replace("WIDTH", str(width)))
    (tmp_path / "report.html").write_text(source, "utf-8")
    dom, console = load(tmp_path / "report.html", tmp_path, width)
    assert console == []
    assert re.findall("<title>(.*)</title>", dom) == ["outside: "]
