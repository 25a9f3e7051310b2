# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A CA for trials, and certificates from it: `ndks serve certs`. A site that has a CA of its own uses that one."""

import datetime
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ndks.exceptions import FileError, UsageError
from ndks.files import read_private, read_small, writing
from ndks.system_errors import file_errors
from ndks.whole_file import refuse_taken, write_private

CA = "ca"
_CA_NAME = "NDKS test CA"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # it is also the name of a file, and a common name
_BEFORE = datetime.timedelta(hours=1)  # clocks differ


class Pair(NamedTuple):
    """The files of a certificate and its private key."""

    certificate: Path
    key: Path


class _Authority(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make(directory: Path, saes: Sequence[str], kmes: Sequence[str], hosts: Sequence[str], days: int) -> list[Pair]:
    """Write certificates for clients and for servers at these hosts, and the CA if it is not there yet.

    Nothing is overwritten. UsageError, FileError.
    """
    names = [*saes, *kmes]
    _check(names)
    pairs = [pair_of(directory, each) for each in names]
    with file_errors():
        directory.mkdir(mode=0o700, exist_ok=True)
        for path in (path for pair in pairs for path in pair):
            refuse_taken(path, "move it away, or name another directory")
        authority = _authority(pair_of(directory, CA), days)
        for each, pair in zip(names, pairs, strict=True):
            _issue(authority, each, _alternatives(hosts) if each in kmes else [x509.DNSName(each)], pair, days)
    return [pair_of(directory, CA), *pairs]


def pair_of(directory: Path, name: str) -> Pair:
    """Return where the certificate and the key of a name are."""
    return Pair(directory / f"{name}.crt", directory / f"{name}.key")


def _check(names: Sequence[str]) -> None:
    for each in names:
        if not _NAME.fullmatch(each) or each == CA:
            what = f"{each!a} cannot be the name of a test certificate"
            raise UsageError(what, "take 1 to 64 letters, digits, hyphens, dots and underscores")
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise UsageError(f"{', '.join(twice)} is named twice", "name each SAE and KME once")


def _authority(pair: Pair, days: int) -> _Authority:
    if pair.certificate.exists():
        try:
            key = serialization.load_pem_private_key(read_private(pair.key), None)
            certificate = x509.load_pem_x509_certificate(read_small(pair.certificate))
        except (ValueError, TypeError):
            raise FileError(f"{pair.certificate} or {pair.key} is damaged", "name another directory") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise FileError(f"{pair.key} was not made by ndks serve certs", "name another directory")
        return _Authority(certificate, key)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_CA_NAME, _CA_NAME, key.public_key(), days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(is_ca=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    _write(pair, certificate, key)
    return _Authority(certificate, key)


def _issue(authority: _Authority, name: str, alternatives: Sequence[x509.GeneralName], pair: Pair, days: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(name, _CA_NAME, key.public_key(), days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(is_ca=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(identifier, critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    _write(pair, builder.sign(authority.key, hashes.SHA256()), key)


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(_common(issuer), _common(name), key, x509.random_serial_number())
    builder = builder.not_valid_before(now - _BEFORE).not_valid_after(now + datetime.timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_alternative(each) for each in hosts]


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise UsageError(f"{host!a} is not a host name", "write it in ASCII") from None


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(pair.key, text, overwrite=False)
    with writing(pair.certificate, overwrite=False) as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
