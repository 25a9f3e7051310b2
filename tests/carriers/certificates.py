# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Certificates for a broker and its clients, made for one test."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PRIVATE = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


class Certificates:
    """An authority, a broker and a client of it; another authority. All are paths of files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        authority = _Authority("authority")
        self.ca = self._write("ca.pem", authority.pem)
        self.other_ca = self._write("other-ca.pem", _Authority("another").pem)
        self.broker, self.broker_key = self._issued(authority, "localhost")
        self.client, self.client_key = self._issued(authority, "client")

    @property
    def settings(self) -> tuple[str, ...]:
        """Lines of configuration for a listener with TLS, which asks clients for certificates."""
        return (
            f"cafile {self.ca}",
            f"certfile {self.broker}",
            f"keyfile {self.broker_key}",
            "require_certificate true",
        )

    def mosquitto_password(self, user: str, password: str) -> str:
        path = self._directory / "made"
        subprocess.run(["mosquitto_passwd", "-c", "-b", path, user, password], check=True, capture_output=True)
        return path.read_text()

    def _issued(self, authority: "_Authority", name: str) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = authority.issue(name, key)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return self._write(f"{name}.pem", pem), self._write(f"{name}.key", key.private_bytes(*_PRIVATE))

    def _write(self, name: str, content: bytes) -> str:
        path = self._directory / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)


class _Authority:
    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key.public_key())
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = self._builder(subject, key.public_key()).add_extension(alternative, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
