# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The rules of networks as a model: keys are real, capsules are symbolic. The product is compared with it."""
