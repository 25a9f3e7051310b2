# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The laboratory: the paper's tests of units (section 4.1), from the demo to homologation.

    outcome, entropy  outcomes of checks; entropy of bytes
    faraday/          the no-channel stage on a real laptop, and the expert's comparison: `ndks faraday`
    stages/           both stages with processes as laptops: cages, sides, letters, a relay
    demo              both stages with emulated units: `ndks demo`
    homologation/     both stages, adversaries, controls, verdict and report: `ndks homologate`

Imports: demo -> stages; homologation -> stages, faraday; stages -> faraday; all of them -> outcome, entropy. The demo
and homologation do not import each other. Only homologation needs the extra `homologation` (SciPy, Numba and others).
"""
