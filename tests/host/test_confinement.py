# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records of emulated units, each with one fault, and what `ndks confine` finds in them."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from hosts.administered import AdministeredMember
from ndks_emulator.memory_unit import MemoryUnit

import ndks
from ndks import BindingStore, Network
