# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The test CA, and buckets."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from ndks.exceptions import FileError, UsageError
from ndks_gateways.serving import certs
from ndks_gateways.serving.limits import Buckets


def test_certificates_are_of_one_ca_also_later(tmp_path: Path) -> None:
    directory = tmp_path / "trial"
    first = certs.make(directory, ["SAE_A"], ["KME_A"], ["127.0.0.1", "kme.example"], 2)
    ca = x509.load_pem_x509_certificate(first[0].certificate.read_bytes())
    later = certs.make(directory, ["SAE_B"], [], ["127.0.0.1"], 2)
    assert later[0] == first[0]
    for pair in (*first[1:], *later[1:]):
        found = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        found.verify_directly_issued_by(ca)
        (name,) = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert name.value == pair.certificate.stem
        assert pair.key.stat().st_mode & 0o777 == 0o600
        ssl.create_default_context(cafile=first[0].certificate).load_cert_chain(*pair)
    kme = x509.load_pem_x509_certificate(first[2].certificate.read_bytes())
    names = kme.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["127.0.0.1", "kme.example"]


@pytest.mark.parametrize("name", ["", "ca", "../x", "a/b", "-x", "\u00e9", "a" * 65, "a b"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        certs.make(tmp_path, [name], [], ["127.0.0.1"], 2)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    certs.make(tmp_path, ["SAE_A"], [], [], 2)
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(FileError, match="exists") as refused:
        certs.make(tmp_path, ["SAE_B", "SAE_A"], [], [], 2)
    assert refused.value.advice == "move it away, or name another directory"  # there is no -o
    with pytest.raises(UsageError, match="twice"):
        certs.make(tmp_path, ["SAE_C"], ["SAE_C"], [], 2)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    buckets = Buckets(2.0, 2.0, lambda: now[0])
    assert [buckets.take("a") for _ in range(5)] == [True] * 4 + [False]
    assert buckets.is_empty("a")
    assert buckets.wait("a") == 0.5
    assert not buckets.is_empty("b")
    now[0] = 0.5
    assert [buckets.take("a"), buckets.take("a")] == [True, False]
    now[0] = 1000.0
    assert [buckets.take("a") for _ in range(5)] == [True] * 4 + [False]
