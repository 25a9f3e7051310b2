# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Give the few tests that have failed a second try, one after the other: python tests/checks/second_try.py STATUS.

STATUS is that of the run of pytest. Tests run beside each other, and the machine is shared: of ten thousand, one may
fail because of its neighbours. It is no less a fault to mend, of the test or of the product: the first failure stays
in the output, and the last line names what passed at the second try only. Many failures are no accident. The whole
module runs again: what fails may be what another test of it has left.
"""

import json
import sys
from pathlib import Path

import pytest

LAST_FAILED = Path(".pytest_cache") / "v" / "cache" / "lastfailed"
FEW = 5
_FAILED = 1  # status of pytest; the others mean that tests could not be collected, or were interrupted


class Passed(set[str]):
    """A plugin that knows which tests have passed; one that was skipped has not."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.add(report.nodeid)


def few_tests(names: list[str]) -> bool:
    """Return whether these are a few tests, and no modules that could not be collected or that differ."""
    return 0 < len(names) <= FEW and all("::" in name for name in names)


def main() -> int:
    status = int(sys.argv[1])
    failed = sorted(json.loads(LAST_FAILED.read_text())) if status == _FAILED and LAST_FAILED.exists() else []
    if not few_tests(failed):
        return status
    print(f"SECOND TRY of {len(failed)}, with the rest of their modules", flush=True)
    passed = Passed()
    second = pytest.main(["-rs", "-v", *sorted({name.partition("::")[0] for name in failed})], [passed])
    if second or not passed.issuperset(failed):
        return int(second) or status
    print(f"UNSTEADY, passed at the second try only: {' '.join(failed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
