# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The report page: it has all values of the report as text, and loads nothing external."""

import base64
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from homologation.example_report import example_plots, example_report
from homologation.parsed_page import ParsedPage, changed, read_json
from markupsafe import Markup

from ndks_laboratory.homologation.report import Plot, render, write_report

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><!--{{ 7 * 7 }}\u202e\x00</table></style>"
JUDGED = ("verdict", "role")  # fields with fixed words of the report
NO_IMAGE = Plot("none", "None", "Nothing is drawn.", Markup("<img alt='' src='data:,'>"))


@pytest.fixture(scope="module", params=["hybrid", "paper"])
def suite(request: pytest.FixtureRequest) -> str:
    return request.param


def test_all_of_the_report_is_in_the_page(suite: str) -> None:
    report = example_report(suite)
    page = ParsedPage(render(report, [NO_IMAGE]))
    # Some values have a different form on the page.
    hidden = ("date", "role", "schema")
    for text in texts_of({name: value for name, value in report.items() if name not in hidden}):
        assert " ".join(text.split()) in page.text or text in ("units", "must fall", "must stand"), text
    assert [image["src"] for image in page.all("img")] == ["data:,"]


def test_each_requirement_has_a_row_with_its_verdict(suite: str) -> None:
    report = example_report(suite)
    page = ParsedPage(render(report, []))
    assert page.named.pop("verdict")[1:] == report["verdict"]  # without the sign
    assert list(page.named) == [row["id"] for row in report["requirements"]]
    for row in report["requirements"]:
        assert re.search(rf"[\u2713\u2717\u2013] {row['verdict']}\s*$", page.named[row["id"]]), row["id"]


@pytest.mark.parametrize(
    ("verdict", "kind"), [("APPROVED", "good"), ("NOT APPROVED", "bad"), ("NO VERDICT", "open"), ("approved", "open")]
)
def test_only_one_word_looks_like_approval(verdict: str, kind: str) -> None:
    page = ParsedPage(render({**example_report(), "verdict": verdict}, []))
    assert [header["class"] for header in page.all("header")] == [f"banner {kind}"]
    assert verdict in page.text


def test_without_a_verdict_there_is_none() -> None:
    page = ParsedPage(render({}, []))
    assert "NO VERDICT" in page.text
    assert "APPROVED" not in page.text
    assert [header["class"] for header in page.all("header")] == ["banner open"]


@pytest.mark.parametrize(
    ("role", "as_expected", "succeeded", "word"),
    [
        ("units", None, False, "\u2713 withstood"),
        ("units", None, True, "\u2717 BROKEN"),
        ("units", None, None, "\u2013 not run"),
        ("must fall", True, True, "\u2713 fell, as it must"),
        ("must fall", False, False, "\u2717 UNEXPECTED: it stood"),
        ("must fall", True, False, "\u2013 stood, as it may"),
        ("must stand", True, False, "\u2713 stood, as it must"),
        ("must stand", False, True, "\u2717 UNEXPECTED: it fell"),
        ("must stand", True, True, "\u2717 UNEXPECTED: it fell"),
        ("of another kind", None, True, "\u2013 fell"),
    ],
)
def test_outcome_of_an_attack(role: str, as_expected: bool | None, succeeded: bool | None, word: str) -> None:
    finding = {"label": "A1", "adversary": "someone", "succeeded": succeeded, "summary": "", "seconds": 0.0126}
    target = {"name": "it", "role": role, "as_expected": as_expected, "findings": [finding]}
    text = ParsedPage(render({"targets": [target]}, [])).text
    time = "0.013\N{NO-BREAK SPACE}s" if succeeded is not None else "\u2013"  # an attack that was not run has no time
    assert " ".join(f"A1 someone {word} {time}".split()) in re.sub(r"\s+", " ", with_gaps(target))
    assert word in text


def test_hostile_names_stay_text() -> None:
    report = changed(example_report("paper"), lambda text: text + HOSTILE, keep=JUDGED)
    report["targets"][0]["findings"][1]["details"] = {HOSTILE: {HOSTILE: [HOSTILE]}}
    report["stages"]["no_channel"]["cages"] = [{HOSTILE: HOSTILE}]
    report["environment"]["packages"] = {HOSTILE: HOSTILE}
    plain, hostile = ParsedPage(render(example_report("paper"), [])), ParsedPage(render(report, []))
    allowed = {name for name, _ in plain.elements}
    assert {name for name, _ in hostile.elements} <= allowed
    assert not allowed & {"script", "img", "iframe", "link", "object"}
    attributes = {name for _, attributes in hostile.elements for name in attributes}
    assert attributes <= {name for _, attributes in plain.elements for name in attributes}
    assert hostile.text.count("alert(1)</script>") > 200
    assert "{{ 7 * 7 }}" in hostile.text


def test_page_needs_nothing_else(suite: str) -> None:
    source = render(example_report(suite), example_plots(suite))
    page = ParsedPage(source)
    images = [str(image["src"]) for image in page.all("img")]
    assert [image.partition(";")[0] for image in images] == ["data:image/png"] + 3 * ["data:image/svg+xml"]
    for image in images:
        source = source.replace(image, "")
        if "svg" in image:
            drawing = base64.b64decode(image.partition(",")[2]).decode()
            assert set(re.findall(r'(?:href|src)="(.)', drawing)) <= {"#"}
            assert not re.search(r"<script|@import|url\((?!#)", drawing)
    assert not re.search(r"https?:|file:|//|url\(|@import|<script|<link|<iframe", source)
    assert {link["href"][0] for link in page.all("a") if link["href"]} == {"#"}
    policy = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    ]


def test_links_lead_to_what_is_there() -> None:
    for report, plots in (({}, []), (example_report(), [NO_IMAGE])):
        page = ParsedPage(render(report, plots))
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {str(link["href"])[1:] for link in page.all("a")} <= set(ids)


def test_any_part_may_be_missing() -> None:
    report = example_report("paper")
    whole = ParsedPage(render(report, [])).text
    shortened = list(shortened_reports(report))
    assert len(shortened) > 100
    for path, without in shortened:
        page = ParsedPage(render(without, []))
        assert ("NOT APPROVED" in page.text) is (path != ("verdict",)), path
        assert not re.search("Undefined|built-in|object at", page.text), path
        assert page.text.count("None") <= whole.count("None"), path  # the paper's tables contain this word


@pytest.mark.parametrize("empty", [[], None])
def test_empty_parts_are_said_to_be_empty(empty: Any) -> None:
    report = dict.fromkeys(example_report(), empty) | {"verdict": "NO VERDICT"}
    text = ParsedPage(render(report, [])).text
    for words in ("No units are named", "No requirement was judged", "No attack was run", "No control was run"):
        assert words in text
    for words in ("No statistics were computed", "Not run"):
        assert words in text


def test_many_rows_are_folded() -> None:
    report = example_report()
    messages = report["stages"]["regular_channel"]["messages"]
    report["stages"]["regular_channel"]["messages"] = messages * 2
    assert "16 rows" in ParsedPage(render(report, [])).text
    assert "8 rows" not in ParsedPage(render(example_report(), [])).text


def test_written_files_hold_the_same(tmp_path: Path) -> None:
    report, plots = example_report(), example_plots()
    write_report(tmp_path / "new", report, plots)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.html", "report.json"]
    assert read_json(tmp_path / "new") == report
    assert (tmp_path / "new" / "report.html").read_text("utf-8") == render(report, plots)


def test_values_of_numpy_and_names_of_files_are_written(tmp_path: Path) -> None:
    finding = {
        "succeeded": np.bool_(True),
        "seconds": np.float32(0.5),
        "details": {"w": np.arange(2), "n": np.int64(3)},
    }
    target = {"name": "caf\udce9", "role": "units", "findings": (finding,), "where": tmp_path}
    write_report(tmp_path, {"targets": [target], "seconds": float("nan"), "statistics": [{"sigmas": np.inf}]}, [])
    assert read_json(tmp_path) == {
        "targets": [
            {
                "name": "caf\udce9",
                "role": "units",
                "findings": [{"succeeded": True, "seconds": 0.5, "details": {"w": [0, 1], "n": 3}}],
                "where": str(tmp_path),
            }
        ],
        "seconds": None,
        "statistics": [{"sigmas": None}],
    }
    text = ParsedPage((tmp_path / "report.html").read_text("utf-8")).text
    assert "caf\\udce9" in text
    assert "1 of 1 attacks succeeded" in text


def test_what_json_has_no_word_for_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_report(tmp_path / "new", {"secret": b"bytes"}, [])
    assert list(tmp_path.rglob("report.*")) == []


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, str):
        yield value


def shortened_reports(report: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield the report without one of its fields, for each field; in lists only for the first item."""
    for path in paths_in(report):
        without = copy.deepcopy(report)
        parent: Any = without
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
        yield path, without


def paths_in(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, item in items:
        yield (*prefix, name)
        yield from paths_in(item, (*prefix, name))


def with_gaps(target: dict[str, Any]) -> str:
    """Return the text of a page with spaces between elements."""
    return re.sub(r"<[^>]*>", " ", render({"targets": [target]}, []))
