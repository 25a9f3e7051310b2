# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What may happen during a command, as strategies."""

from hypothesis import strategies as st

from .desk import Fault

cuts = st.builds(Fault, st.just("cut"), st.integers(0, 80) | st.integers(0, 9000))
losses = st.builds(Fault, st.sampled_from(["part", "lost"]), st.integers(1, 7))  # 5 frames open a session
openings = st.builds(Fault, st.just("case"), st.integers(1, 60), st.booleans())
faults = st.one_of(st.none(), cuts, st.none(), losses, st.none(), cuts, st.none(), st.one_of(losses, cuts, openings))
