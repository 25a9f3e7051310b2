# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Failures whose reason is a setting of the user."""

import contextlib
from collections.abc import Generator

import pytest

from ndks.exceptions import NdksError


@contextlib.contextmanager
def blamed(setting: str) -> Generator[None]:
    """Fail the test with what is wrong with a setting, and what to do, in place of a traceback."""
    try:
        yield
    except NdksError as error:
        pytest.fail(f"{setting}: {error}. Do: {error.advice}.", pytrace=False)
    except OSError as error:
        pytest.fail(f"{setting}: {error}", pytrace=False)
