# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Build the site from the Markdown of the repository: gather the pages, and let zensical read mkdocs.yml.

python docs/make/make_site.py    build it in site/, or say which links lead nowhere

In the repository, links lead from file to file. On the site all pages lie in one folder, and links are made to.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GATHERED, SITE = ROOT / "build" / "pages", ROOT / "site"
PAGES = {
    ROOT / "README.md": "index.md",
    ROOT / "HACKING.md": "hacking.md",
    ROOT / "SECURITY.md": "security.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "hardware" / "README.md": "boards.md",
    ROOT / "protocol" / "PROTOCOL.md": "protocol.md",
    **{path: path.name for path in sorted((ROOT / "docs").iterdir()) if path.suffix in (".md", ".svg")},
}
_LINK = re.compile(r"(?<=\]\()([^)#: ]+)(?=[)#])")
_OUTSIDE = re.compile(r"""(?:src|href)="(?:https?:)?//[^"]*"|url\(["']?(?:https?:)?//[^)]*\)""")


class LinkError(Exception):
    """A link leads to nothing that is on the site."""


def for_site(path: Path, text: str) -> str:
    """Return a page with its links as they are on the site. LinkError."""

    def name_on_site(found: re.Match[str]) -> str:
        target = (path.parent / found[0]).resolve()
        if target not in PAGES:
            raise LinkError(f"{path.relative_to(ROOT)}: the link to {found[0]} leads to no page of the site")
        return PAGES[target]

    return _LINK.sub(name_on_site, text)


def gather() -> dict[str, str]:
    return {name: for_site(path, path.read_text(encoding="utf-8")) for path, name in PAGES.items()}


def build(pages: dict[str, str]) -> int:
    for folder in (GATHERED, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    GATHERED.mkdir(parents=True)
    for name, text in pages.items():
        (GATHERED / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def loads_from_outside() -> list[str]:
    """Return what pages and styles of the site would load from elsewhere; links that a reader follows are no such."""
    files = [path for kind in ("html", "css") for path in sorted(SITE.rglob(f"*.{kind}"))]
    texts = {path: re.sub(r"<a\b[^>]*>", "", path.read_text(encoding="utf-8")) for path in files}
    return [f"{path.relative_to(ROOT)}: {found}" for path, text in texts.items() for found in _OUTSIDE.findall(text)]


def main() -> int:
    try:
        pages = gather()
    except LinkError as error:
        print(error, file=sys.stderr)
        return 1
    if status := build(pages):
        return status
    for complaint in (complaints := loads_from_outside()):
        print(f"{complaint}: loaded from outside", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
