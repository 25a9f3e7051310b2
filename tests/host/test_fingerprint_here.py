# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The characteristics of this laptop: the same for every user, and in other namespaces."""

import ast
import os
import subprocess
import sys

import pytest
from support.emulate_process import PATIENCE

from ndks.laptop.fingerprint import Characteristics, characteristics

NOBODY = 65534


def known_to(*prefix: str, before: str = "") -> Characteristics:
    """Return the characteristics as another process sees them, after some line of Python in it."""
    script = f"import os\nfrom ndks.laptop.fingerprint import characteristics\n{before}\nprint(characteristics())"
    command = [*prefix, sys.executable, "-c", script]
    return ast.literal_eval(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout.decode())


def require(*command: str) -> None:
    try:
        subprocess.run([*command, "true"], capture_output=True, check=True, timeout=PATIENCE)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{' '.join(command)} is not permitted here")


def test_this_laptop_in_a_process_of_its_own() -> None:
    assert known_to() == characteristics()
    assert characteristics()


def test_this_laptop_in_an_empty_network_namespace() -> None:
    require("unshare", "-rn")
    assert known_to("unshare", "-rn") == characteristics()


def test_this_laptop_as_another_user_sees_it() -> None:
    if os.name != "posix" or os.geteuid():
        pytest.skip("only root can become another user")
    # Drop privileges after the imports: the clone may be readable for root only.
    drop = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    assert known_to(before=drop) == characteristics()


def test_sysfs_mounted_again_in_an_empty_network_namespace_shows_no_interface() -> None:
    """A limitation, as with `ip netns exec`. The other characteristics remain."""
    cage = ("unshare", "-nm", "sh", "-c", 'mount -t sysfs ndks-test /sys && "$@"', "sh")
    require(*cage)
    assert known_to(*cage) == tuple(pair for pair in characteristics() if pair[0] != "mac")
