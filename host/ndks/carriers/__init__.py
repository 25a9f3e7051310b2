# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What carries packets between the agents of a network: an MQTT broker, UDP, or a folder (docs/network.md).

A carrier may lose, duplicate, delay and reorder packets, and anybody may read it and write to it.
"""
