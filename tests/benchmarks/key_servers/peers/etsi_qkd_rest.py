# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""etsi-qkd-rest, tried with commit 39cd9ec: two servers with one Redis, which has to be at its usual port.

`.venv` has falcon below 4, gunicorn and redis; Debian's redis-server is installed. As its own configuration, without
reloading of changed sources. Its worker answers one request on a connection.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from support.ports import free_port

from benchmarks.key_servers.clients import Served

from .programs import LOCAL, installed, needed, program

_REDIS = 6379
_GUNICORN = """
bind = "{local}:{port}"
certfile = "{certificates}/{name}.crt"
keyfile = "{certificates}/{name}.key"
ca_certs = "{certificates}/ca.crt"
cert_reqs = 2
do_handshake_on_connect = True
worker_class = "worker.CustomWorker"
"""
_KME = """
[kme]
id = {name}
redis_host = {local}
"""


@contextlib.contextmanager
def start(checkout: Path, certificates: Path, directory: Path) -> Iterator[Served]:
    gunicorn, modules = needed(checkout, ".venv/bin/gunicorn"), f"{checkout / 'src'},{checkout / 'gunicorn'}"
    ports = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        redis = [installed("redis-server"), "--bind", LOCAL, "--port", _REDIS, "--dir", directory]
        processes = [stack.enter_context(program(redis, _REDIS, directory))]
        for name, port in zip(("KME_A", "KME_B"), ports, strict=True):
            values = {"local": LOCAL, "port": port, "certificates": certificates, "name": name}
            (directory / f"{name}.py").write_text(_GUNICORN.format(**values))
            (directory / f"{name}.conf").write_text(_KME.format(**values))
            command = [gunicorn, "--pythonpath", modules, "-c", f"{name}.py", f'kme.app:load_app("{name}.conf")']
            processes.append(stack.enter_context(program(command, port, directory)))
        yield Served(*ports, tuple(processes), certificates)
