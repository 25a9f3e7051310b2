# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The extension; all else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import Extension, setup

CORE = Path("core")
SOURCES = ["core", "execute", "exceptions", "bus", "sio", "system", "watches"]
FLAGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-fno-gcse", "-fno-strict-aliasing"]

setup(
    ext_modules=[
        Extension(
            "ndks_chip._core",
            ["ndks_chip/_core.pyx", *(str(CORE / f"{name}.c") for name in SOURCES)],
            include_dirs=[str(CORE)],
            depends=[str(path) for path in sorted(CORE.glob("*.h"))],
            extra_compile_args=FLAGS,
        )
    ]
)
