# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""TLS of the server: contexts that ask each client for its certificate, and the name in it."""

import datetime
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509

from ndks.exceptions import FileError, reason
from ndks.files import read_small, refuse_public
from ndks.system_errors import file_errors

from .config import Kme

SAN = "SAN"


def server_context(kme: Kme) -> ssl.SSLContext:
    """Return a context of TLS 1.2 and 1.3 with the files as they are now. FileError names the one that is wrong.

    A session can be resumed in its own context only, so a new context looks at each client's certificate again.
    """
    with file_errors():
        refuse_public(kme.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(kme.certificate, kme.key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _unusable(f"{kme.certificate} with {kme.key}", error) from None
    _trust(context, kme.clients_ca)
    if kme.clients_crl:
        _trust(context, kme.clients_crl)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    return context


def expiry(certificate: Path) -> float:
    """Return when a certificate ends, in seconds since 1970. FileError."""
    with file_errors():
        content = read_small(certificate)
    try:
        ends = x509.load_pem_x509_certificate(content).not_valid_after_utc
    except ValueError as error:
        raise _unusable(str(certificate), error) from None
    return ends.astimezone(datetime.UTC).timestamp()


def client_name(certificate: dict[str, Any] | None, name_in: str) -> str | None:
    """Return the name in a client's verified certificate (`getpeercert`), None without one.

    More than one common name counts as none: programs differ in which one they take.
    """
    if not certificate:
        return None
    if name_in == SAN:
        return next((value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"), None)
    found = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return found[0] if len(found) == 1 else None


def _trust(context: ssl.SSLContext, file: Path) -> None:
    before = context.cert_store_stats()
    try:
        context.load_verify_locations(file)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(str(file), error) from None
    if context.cert_store_stats() == before:
        raise FileError(f"{file} has nothing of what it should have", "name a PEM file")


def _unusable(what: str, error: Exception) -> FileError:
    why = reason(error) if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else str(error)
    return FileError(f"{what} cannot be used: {why}", "check that these are PEM files, and belong together")


def _no_password() -> str:
    raise ValueError("the private key is encrypted; a server that starts by itself needs one that is not")
