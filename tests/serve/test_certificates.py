# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Certificates, revocation lists and their CAs, before and after a reload; no key or secret in a log or an error."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ndks_gateways.keys import refusals
from ndks_gateways.serving import certs
from ndks_gateways.serving.config import ConfigError

from .key_servers import HOST, PATIENCE, Client, Running, config_of, make_certificates, running
from .raw_connections import BOTH, DEC, ENC, is_refused, plain, until_end


def test_certificates_are_read_again(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    with running(directory) as server:
        before = serial_number(server, server.client("SAE_A"))
        for name in ("KME_A.crt", "KME_A.key"):
            (directory / name).unlink()
        certs.make(directory, (), ("KME_A",), (HOST,), 1)
        server.call(server.server.reload())
        assert serial_number(server, server.client("SAE_A")) != before
        (directory / "KME_A.crt").write_text("no certificate")
        server.call(server.server.reload())
        assert server.client("SAE_A").get("/openapi.json").status == 200
        text = server.monitor("/metrics")[1]
        assert "ndks_serve_reloads_total 1\n" in text
        assert "ndks_serve_failed_reloads_total 1\n" in text


def test_a_ca_that_is_trusted_no_more_counts_after_a_reload(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    (directory / "clients.crt").write_bytes((directory / "ca.crt").read_bytes())
    with running(directory, kme={"clients_ca": "clients.crt"}) as server:
        assert not is_refused(server.client("SAE_A"))
        trustme.CA().cert_pem.write_to_path(directory / "clients.crt")
        server.call(server.server.reload())
        assert is_refused(server.client("SAE_A"))


def test_a_revoked_certificate_is_refused(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    write_revoked(directory, "NOBODY")
    with running(directory, sae=BOTH, kme={"clients_crl": "crl.pem"}) as server:
        a = server.client("SAE_A")
        assert not is_refused(a)
        write_revoked(directory, "SAE_A")
        server.call(server.server.reload())
        assert is_refused(a)
        assert is_refused(server.client("SAE_A"))
        assert not is_refused(server.client("SAE_B"))


def test_an_audit_log_that_cannot_be_opened_keeps_nobody_from_being_revoked(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    write_revoked(directory, "NOBODY")
    log = directory / "log"
    with running(directory, sae=BOTH, kme={"clients_crl": "crl.pem"}, audit={"file": str(log)}) as server:
        assert not is_refused(server.client("SAE_A"))
        write_revoked(directory, "SAE_A")
        log.rename(directory / "log.1")
        log.mkdir()
        server.call(server.server.reload())
        assert is_refused(server.client("SAE_A"))
        assert not is_refused(server.client("SAE_B"))
        assert '"SAE_B"' in (directory / "log.1").read_text()  # which stays in use
        metrics = server.monitor("/metrics")[1]
        assert "ndks_serve_reloads_total 1\n" in metrics
        assert "ndks_serve_failed_reloads_total 1\n" in metrics


def test_a_reload_closes_connections_once_their_requests_are_answered(certificates: Path) -> None:
    with running(certificates, sae=BOTH) as server, plain(server) as asking, plain(server) as idle:
        body = b'{"number": 2}'
        head = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n".encode()
        asking.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert asking.recv(1000).startswith(b"HTTP/1.1 100 ")
        idle.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200 ")
        server.call(server.server.reload())
        assert until_end(idle).endswith(b"}")
        asking.sendall(body)
        assert until_end(asking).startswith(b"HTTP/1.1 200 ")


def test_a_reload_ends_handshakes_of_before(certificates: Path) -> None:
    with running(certificates, limits={"patience": 600}) as server:
        stranger = socket.create_connection((HOST, server.port), PATIENCE)
        assert not is_refused(server.client())  # which came after the stranger
        server.call(server.server.reload())
        with stranger:
            assert stranger.recv(1) == b""


def test_certificates_of_a_revoked_ca_are_refused(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    root = trustme.CA()
    between = root.create_child_ca()
    root.cert_pem.write_to_path(directory / "root.crt")
    issued = between.issue_cert(common_name="SAE_A")
    (directory / "SAE_A.crt").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    (directory / "SAE_A.key").write_bytes(issued.private_key_pem.bytes())
    lower, upper = ((each.cert_pem.bytes(), each.private_key_pem.bytes()) for each in (between, root))
    (directory / "crl.pem").write_bytes(crl_of(*lower) + crl_of(*upper))
    with running(directory, kme={"clients_ca": "root.crt", "clients_crl": "crl.pem"}) as server:
        assert not is_refused(server.client("SAE_A"))
        (directory / "crl.pem").write_bytes(crl_of(*lower) + crl_of(*upper, lower[0]))
        server.call(server.server.reload())
        assert is_refused(server.client("SAE_A"))


def test_a_name_may_come_from_the_alternative_names(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    with running(directory, kme={"name_in": "SAN"}) as server:
        assert server.client("SAE_A").post(ENC).status == 200
        assert server.client("KME_B").post(ENC).status == 401  # its first DNS name is localhost


def test_a_public_private_key_is_refused(tmp_path: Path) -> None:
    directory = make_certificates(tmp_path / "serve")
    (directory / "KME_A.key").chmod(0o644)
    with pytest.raises(Exception, match="others may read"), running(directory):
        pass


def test_errors_of_a_configuration_name_no_secret(certificates: Path) -> None:
    with pytest.raises(ConfigError, match="ledger needs either") as caught:
        config_of(certificates, ledger={"postgresql": "host=db password=hunter2"})
    assert "hunter2" not in str(caught.value)


def serial_number(server: Running, client: Client) -> int:
    raw = socket.create_connection((HOST, server.port), PATIENCE)
    with client.context.wrap_socket(raw, server_hostname=HOST) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"").serial_number


def write_revoked(directory: Path, name: str) -> None:
    ca, revoked = (certs.pair_of(directory, each) for each in (certs.CA, name))
    found = crl_of(ca.certificate.read_bytes(), ca.key.read_bytes(), revoked.certificate.read_bytes())
    (directory / "crl.pem").write_bytes(found)


def crl_of(ca: bytes, key: bytes, *revoked: bytes) -> bytes:
    """Return the list of a CA that has revoked certificates."""
    certificate = x509.load_pem_x509_certificate(ca)
    when, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    numbers = [x509.load_pem_x509_certificate(each).serial_number for each in revoked]
    rows = [x509.RevokedCertificateBuilder(each, when).build() for each in numbers]
    builder = x509.CertificateRevocationListBuilder(certificate.subject, when, end, [], rows)
    private: Any = serialization.load_pem_private_key(key, None)
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_no_key_is_in_any_log_or_metric(certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    audit = tmp_path / "audit.jsonl"
    with running(certificates, sae=BOTH, audit={"file": str(audit)}) as server:
        a, b = server.client("SAE_A"), server.client("SAE_B")
        (key,) = a.keys("SAE_B", "enc_keys").values["keys"]
        b.get(f"{DEC}?key_ID={key['key_ID']}")
        b.get(f"{DEC}?key_ID={key['key_ID']}")
        server.client("NOBODY").post(ENC)
        metrics = server.monitor("/metrics")[1]
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(each["client"], each["action"], each["other"], each["status"], each["key_ids"]) for each in lines] == [
        ("SAE_A", "enc_keys", "SAE_B", 200, [key["key_ID"]]),
        ("SAE_B", "dec_keys", "SAE_A", 200, [key["key_ID"]]),
        ("SAE_B", "dec_keys", "SAE_A", 400, []),
        ("NOBODY", "enc_keys", "SAE_B", 401, []),
    ]
    assert lines[2]["why"] == refusals.TAKEN
    assert audit.stat().st_mode & 0o777 == 0o600
    assert 'ndks_serve_keys_total{action="dec_keys"} 1' in metrics
    assert 'ndks_serve_requests_total{action="dec_keys",status="400"} 1' in metrics
    for text in (audit.read_text(), metrics, caplog.text):
        assert key["key"] not in text
    assert "SAE_A" not in metrics
