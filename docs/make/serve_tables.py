# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the tables of docs/serve.md, the keys of a configuration and the refusals, and docs/openapi.json.

python docs/make/serve_tables.py            write them
python docs/make/serve_tables.py --check    say whether they are up to date
"""

import dataclasses
import json
import sys
from pathlib import Path

from marked_tables import table, write_or_check

from ndks_gateways.keys import refusals
from ndks_gateways.keys.requests import Sizes
from ndks_gateways.serving import answers, config, openapi

PAGE = Path(__file__).parents[1] / "serve.md"
DOCUMENT = PAGE.with_name("openapi.json")
_STATUSES = {  # of the messages, which are names of these modules in this order
    400: (refusals, "FORMAT NUMBER SIZE SIZE_OF_BYTES MANDATORY GROUP NOT_FOUND TAKEN TOO_OLD REVOKED TWICE"),
    401: (refusals, "NOT_YOURS"),
    503: (refusals, "UNIT_AWAY LEDGER_AWAY LEDGER_LOST NO_MARK NOT_HEARD TOO_MANY"),
}
_OF_HTTP = {
    400: "TOO_LARGE SLOW",
    401: "UNKNOWN_CLIENT",
    404: "NO_PATH UNKNOWN_SAE",
    405: "NO_METHOD",
    503: "BROKEN",
}


def key_table() -> str:
    rows: list[tuple[str, str, str]] = []
    for section, kind in config.SECTIONS.items():
        defaults = {field.name: field.default for field in dataclasses.fields(kind)}
        for name, key in config.keys_of(kind).items():
            default = defaults[name]
            usual = (
                "needed" if default is dataclasses.MISSING else "" if default is None else f"`{json.dumps(default)}`"
            )
            rows.append((f"`{section}.{name}`", key.meaning, usual))
    return table(("key", "meaning", "default"), rows)


def refusal_table() -> str:
    rows = [
        (str(status), getattr(module, name))
        for status in sorted({*_STATUSES, *_OF_HTTP})
        for module, names in (_STATUSES.get(status, (refusals, "")), (answers, _OF_HTTP.get(status, "")))
        for name in names.split()
    ]
    return table(("status", "message"), rows)


def main() -> int:
    text = json.dumps(openapi.document(Sizes(), has_skip=True), indent=1) + "\n"
    if "--check" not in sys.argv:
        DOCUMENT.write_text(text)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
        print(f"{DOCUMENT.name} is stale: make docs", file=sys.stderr)
        return 1
    return write_or_check(PAGE, {"keys": key_table, "refusals": refusal_table}, __doc__)


if __name__ == "__main__":
    sys.exit(main())
