# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Give the few tests that have failed a second try, one after the other: python tests/checks/second_try.py STATUS.

STATUS is that of the run of pytest. Tests run beside each other, and the machine is shared: of ten thousand, one may
fail because of its neighbours. It is no less a fault to mend, of the test or of the product: the first failure stays
in the output, and the last line names what passed at the second try only. Many failures are no accident.
"""

import json
import subprocess
import sys
from pathlib import Path

LAST_FAILED = Path(".pytest_cache") / "v" / "cache" / "lastfailed"
FEW = 5
_FAILED = 1  # status of pytest; the others mean that tests could not be collected, or were interrupted


def main() -> int:
    status = int(sys.argv[1])
    failed = sorted(json.loads(LAST_FAILED.read_text())) if status == _FAILED and LAST_FAILED.exists() else []
    if not 0 < len(failed) <= FEW:
        return status
    print(f"SECOND TRY of {len(failed)}, alone", flush=True)
    command = [sys.executable, "-m", "pytest", "-rs", "-v", "--last-failed", "--last-failed-no-failures", "none"]
    second = subprocess.run(command, check=False).returncode
    if not second:
        print(f"UNSTEADY, passed at the second try only: {' '.join(failed)}")
    return second


if __name__ == "__main__":
    sys.exit(main())
