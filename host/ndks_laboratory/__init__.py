# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The laboratory: the paper's tests of units (section 4.1), from a demo to homologation.

    outcome, entropy  what came of a check; how even bytes are
    faraday/          one real laptop's part of the no-channel stage, and the expert's: `ndks faraday`
    stages/           both stages, with processes as laptops: cages, sides, letters, a relay
    demo              both stages with emulated units: `ndks demo`
    homologation/     both stages, adversaries, controls, a verdict, a report: `ndks homologate`

Arrows: demo -> stages; homologation -> stages, faraday; stages -> faraday; all of them -> outcome, entropy. The demo
and homologation do not know each other. Only homologation needs the extra `homologation` (SciPy, Numba and others).
"""
