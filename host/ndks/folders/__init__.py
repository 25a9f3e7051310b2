# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders as a stream of bytes in volumes: what is packed, and how it is put back (docs/folders.md)."""
