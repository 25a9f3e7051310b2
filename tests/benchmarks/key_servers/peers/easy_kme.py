# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""easy-kme, tried with commit 8ece4ad: one server for both ends, which has to be at port 8000, behind nginx.

`.venv` has what its requirements.txt names; Debian's nginx is installed. Its pool of 1000 keys is not filled again.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from support.ports import free_port

from benchmarks.key_servers.clients import Served

from .programs import LOCAL, installed, needed, program

_PORT = 8000
_NGINX = """
daemon off;
worker_processes auto;
pid {directory}/nginx.pid;
events {{}}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen {local}:{port} ssl;
        ssl_certificate {certificates}/KME_A.crt;
        ssl_certificate_key {certificates}/KME_A.key;
        ssl_client_certificate {certificates}/ca.crt;
        ssl_verify_client on;
        location / {{
            proxy_pass http://{local}:{behind};
            proxy_set_header X-Client-Verified $ssl_client_verify;
            proxy_set_header X-Client-DN $ssl_client_s_dn;
            proxy_set_header X-Client-Issuer $ssl_client_i_dn;
            proxy_set_header X-SSL-Protocol $ssl_protocol;
            proxy_set_header X-SSL-Cipher $ssl_cipher;
        }}
    }}
}}
"""


@contextlib.contextmanager
def start(checkout: Path, certificates: Path, directory: Path) -> Iterator[Served]:
    command = [needed(checkout, ".venv/bin/python"), checkout / "run.py"]
    port, configuration = free_port(), directory / "nginx.conf"
    configuration.write_text(
        _NGINX.format(directory=directory, certificates=certificates, local=LOCAL, port=port, behind=_PORT)
    )
    front = [installed("nginx"), "-p", directory, "-e", directory / "error.log", "-c", configuration]
    values = {
        "KME_HOST": LOCAL,
        "KME_ID": "KME_A",
        "KME_CERT_PATH": certificates / "KME_A.crt",
        "KME_KEY_PATH": certificates / "KME_A.key",
        "CA_CERT_PATH": certificates / "ca.crt",
        "DATA_DIR": directory / "data",
    }
    with program(command, _PORT, directory, **values) as server, program(front, port, directory) as proxy:
        yield Served(port, port, (server, proxy), certificates)
