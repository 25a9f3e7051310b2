# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Certificates and databases for the tests of the server of keys."""

from pathlib import Path

import pytest

from .databases import cluster, database  # noqa: F401 (fixtures)
from .key_servers import make_certificates
from .stories import told  # noqa: F401 (a fixture)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a CA and certificates of all SAEs and KMEs. Tests do not change it."""
    return make_certificates(tmp_path_factory.mktemp("serve"))
