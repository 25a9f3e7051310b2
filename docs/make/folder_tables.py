# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the table of docs/folders.md from `ndks.folders.rules`.

python docs/make/folder_tables.py            write it
python docs/make/folder_tables.py --check    say whether it is up to date
"""

import sys
from pathlib import Path

from marked_tables import table, write_or_check

from ndks.folders.rules import all_rules

PAGE = Path(__file__).parents[2] / "docs" / "folders.md"


def rule_table() -> str:
    rows = [(rule.thing, rule.packing, rule.unpacking, f"`test_{rule.test}`") for rule in all_rules()]
    return table(("in a folder", "encrypt", "decrypt", "test"), rows)


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, {"folder_rules": rule_table}, __doc__))
