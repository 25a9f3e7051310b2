# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""qkd-stub, tried with commit 4d55886 (0.2.0): two servers with one file of 32 bytes.

`target/release/qkd-stub` is built. Later versions, such as commit 0057a0d, read the names of SAEs from TOML; those were
not tried.
"""

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

from support.ports import free_port

from benchmarks.key_servers.clients import Served

from .programs import LOCAL, needed, program

_SAES = tuple(enumerate(("SAE_A", "SAE_B"), 1))
_JSON = {
    "saes": [
        {"id": name, "code": code, "identities": [{"field": "subject_dn", "value": f"CN={name}"}]}
        for code, name in _SAES
    ]
}
_TOML = '[[sae]]\nid = "{name}"\ncode = {code}\nidentities = [{{ subject_dn = "CN={name}" }}]\n'


@contextlib.contextmanager
def start(checkout: Path, certificates: Path, directory: Path) -> Iterator[Served]:
    binary, ports = needed(checkout, "target/release/qkd-stub"), (free_port(), free_port())
    shared, saes = directory / "shared.psk", directory / "sae-map"
    shared.write_bytes(secrets.token_bytes(32))
    reads_toml = "\ntoml =" in needed(checkout, "Cargo.toml").read_text()
    saes.write_text(
        "".join(_TOML.format(name=name, code=code) for code, name in _SAES) if reads_toml else json.dumps(_JSON)
    )
    common = "--psk-file", shared, "--tls-client-ca", certificates / "ca.crt", "--sae-map", saes
    processes: list[int] = []
    with contextlib.ExitStack() as stack:
        for here, there, port in zip(("KME_A", "KME_B"), ("KME_B", "KME_A"), ports, strict=True):
            own = "--tls-cert", certificates / f"{here}.crt", "--tls-key", certificates / f"{here}.key"
            names = "--kme-id", here, "--peer-kme-id", there
            command = [binary, "--listen", f"{LOCAL}:{port}", *own, *common, *names]
            processes.append(stack.enter_context(program(command, port, directory)))
        yield Served(*ports, tuple(processes), certificates)
