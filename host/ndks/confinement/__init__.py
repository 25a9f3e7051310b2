# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Confinement: find the unit whose keys differ from those of the others, or blame the channel.

`taking` records check values of a unit's keys and messages, `definition` those of a network file; `compare` names
what is wrong. A record has no key.
"""
