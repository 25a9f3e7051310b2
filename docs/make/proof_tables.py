# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the table of docs/proofs.md from the heads of the models in protocol/proofs.

python docs/make/proof_tables.py            write it
python docs/make/proof_tables.py --check    say whether it is up to date
"""

import sys
from pathlib import Path

from marked_tables import table, write_or_check

sys.path.append(str(Path(__file__).parents[2] / "tests" / "checks"))  # what proves the models reads their heads, too

from proofs import Model, models

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"


def model_table() -> str:
    return table(("model", "what happens in it", "answers, proved"), [row(model) for model in models()])


def row(model: Model) -> tuple[str, str, str]:
    answers = "<br>".join(f"**{answer}**: {query}" for answer, query in model.stated)
    return f"`{model.path.stem}`", model.about, answers


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, {"models": model_table}, __doc__))
