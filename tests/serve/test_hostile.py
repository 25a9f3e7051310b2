# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that mean harm: no or wrong certificates, old TLS, huge and slow bodies, guessed ids, floods."""

import contextlib
import json
import logging
import socket
import ssl
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ndks_gateways.keys import refusals
from ndks_gateways.serving import answers, certs
from ndks_gateways.serving.config import ConfigError

from .key_servers import HOST, PATIENCE, Client, Running, config_of, make_certificates, running

ENC, DEC = "/api/v1/keys/SAE_B/enc_keys", "/api/v1/keys/SAE_A/dec_keys"
CLOSED = ConnectionError, ssl.SSLError  # what send and recv raise once the server has closed a connection
BOTH = {"here": ["SAE_A", "SAE_B"], "there": ["SAE_C"]}


@pytest.fixture(scope="module")
def server(certificates: Path) -> Iterator[Running]:
    with running(certificates, sae=BOTH) as found:
        yield found


@pytest.fixture(scope="module")
def impatient(certificates: Path) -> Iterator[Running]:
    with running(certificates, sae=BOTH, limits={"patience": 2}) as found:
        yield found


def plain(server: Running, name: str = "SAE_A") -> ssl.SSLSocket:
    """Return a connection on which a test says what it likes."""
    raw = socket.create_connection((HOST, server.port), PATIENCE)
    return server.client(name).context.wrap_socket(raw, server_hostname=HOST)


def until_end(connection: ssl.SSLSocket) -> bytes:
    found = b""
    with contextlib.suppress(*CLOSED):
        while piece := connection.recv(1 << 16):
            found += piece
    return found


def is_refused(client: Client) -> bool:
    """Whether TLS, or the first read after it (TLS 1.3), fails."""
    try:
        client.get("/api/v1/keys/SAE_B/status")
    except CLOSED:
        return True
    return False


def test_no_certificate_and_one_of_another_ca_are_refused(server: Running, tmp_path: Path) -> None:
    assert is_refused(server.client(None))
    other = trustme.CA()
    issued = other.issue_cert(common_name="SAE_A")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "SAE_A.crt")
    issued.private_key_pem.write_to_path(tmp_path / "SAE_A.key")
    (tmp_path / "ca.crt").write_bytes((server.directory / "ca.crt").read_bytes())
    assert is_refused(server.client("SAE_A", tmp_path))


def test_a_certificate_of_no_sae_is_unauthorized(server: Running) -> None:
    for name, path in (("NOBODY", ENC), ("SAE_C", ENC), ("KME_A", "/openapi.json"), ("NOBODY", "/nothing")):
        said = server.client(name).post(path)
        assert (said.status, said.values) == (401, {"message": answers.UNKNOWN_CLIENT})


@pytest.mark.parametrize(("version", "taken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_versions_of_tls(server: Running, version: str, taken: bool) -> None:
    client = server.client("SAE_A")
    client.context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else this client would refuse the old version itself
    client.context.minimum_version = client.context.maximum_version = ssl.TLSVersion[version]
    assert is_refused(client) is not taken


def test_no_session_outlives_a_reload(server: Running) -> None:
    client = server.client("SAE_A")
    client.context.maximum_version = ssl.TLSVersion.TLSv1_2
    client.get("/openapi.json")
    session = client._connection.sock.session
    server.call(server.server.reload())
    raw = socket.create_connection((HOST, server.port), PATIENCE)
    with client.context.wrap_socket(raw, server_hostname=HOST, session=session) as again:
        assert not again.session_reused


def test_a_huge_body_is_refused_before_it_is_read(server: Running) -> None:
    before = server.keys.calls
    with plain(server) as connection:
        head = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\n\r\n"
        connection.sendall(head.encode())
        assert answers.TOO_LARGE in until_end(connection).decode()
    with plain(server) as connection:
        connection.sendall(f"POST {ENC} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(1 << 18):  # 16 GB, if they were taken
                connection.sendall(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
            pytest.fail("all of it was taken")
        except CLOSED:
            pass
    assert server.keys.calls == before


def test_a_client_that_waits_before_its_body_is_told_to_send_it(server: Running) -> None:
    body = b'{"number": 2}'
    head = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: "
    with plain(server) as connection:
        for _ in range(2):
            connection.sendall(f"{head}{len(body)}\r\n\r\n".encode())
            assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            said = b""
            while not said.endswith(b"}]}"):
                said += connection.recv(1 << 16)
            assert said.startswith(b"HTTP/1.1 200 ")
            assert said.count(b"key_ID") == 2
        connection.sendall(f"{head}{1 << 40}\r\n\r\n".encode())
        assert until_end(connection).startswith(b"HTTP/1.1 400 ")
    with plain(server) as connection:
        connection.sendall(f"{head}{len(body)}\r\n\r\n".replace("HTTP/1.1", "HTTP/1.0").encode() + body)
        assert until_end(connection).startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize("end", ["", '{"number"'])
def test_a_slow_body_is_refused(impatient: Running, end: str) -> None:
    before = impatient.keys.calls
    with plain(impatient) as connection:
        connection.sendall(f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{end}".encode())
        said = until_end(connection).decode()
    assert said.startswith("HTTP/1.1 400 ")
    assert answers.SLOW in said
    assert impatient.keys.calls == before


@pytest.mark.parametrize("start", [b"", b"GET /api/v1/keys/", b"POST / HTTP/1.1\r\nHost: x\r\nA: "])
def test_a_connection_without_a_request_is_closed(certificates: Path, start: bytes) -> None:
    with running(certificates, limits={"idle": 1}) as server, plain(server) as connection:
        with contextlib.suppress(*CLOSED):  # a busy machine may be that late
            connection.sendall(start)
        assert until_end(connection) == b""


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/keys/SAE_B/enc_keys HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: Running, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with plain(server) as connection:
        try:
            connection.sendall(text)
        except CLOSED:
            return
        said = until_end(connection)
    assert said == b"" or said.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_client_that_reads_no_answer_is_cut_off(impatient: Running) -> None:
    body = b'{"number": 128, "size": 8192}'
    request = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with plain(impatient) as connection:
        wait_for_connections(impatient, 1)
        with contextlib.suppress(*CLOSED):  # it may be cut off by then
            for _ in range(100):  # 18 MB of answers, which no buffers hold
                connection.sendall(request)
        wait_for_connections(impatient, 0)


def wait_for_connections(server: Running, count: int) -> None:
    end = time.monotonic() + PATIENCE
    while server.server.state().connections != count:
        assert time.monotonic() < end, f"there are not {count} connections"
        time.sleep(0.02)


@pytest.mark.parametrize("target", ["OPTIONS *", "CONNECT host.example:443", "GET http://x"])
def test_a_request_without_a_path_is_refused_counted_and_audited(
    certificates: Path, tmp_path: Path, target: str
) -> None:
    audit = tmp_path / "audit"
    with running(certificates, sae=BOTH, audit={"file": str(audit)}) as server:
        with plain(server) as connection:
            connection.sendall(f"{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert until_end(connection).startswith(b"HTTP/1.1 404 ")
        assert 'requests_total{action="",status="404"} 1' in server.monitor("/metrics")[1]
    assert [json.loads(line)["status"] for line in audit.read_text().splitlines()] == [404]


def test_floods_are_limited_for_each_sae_alone(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"requests": 1}) as server:  # few: a busy machine asks slowly
        a, b = server.client("SAE_A"), server.client("SAE_B")
        said = [a.post(ENC) for _ in range(30)]
        refused = [each for each in said if each.status == 503]
        assert said[0].status == 200
        assert refused
        assert {each.values["message"] for each in refused} == {refusals.TOO_MANY}
        assert {each.headers["Retry-After"] for each in refused} == {"1"}
        assert server.keys.calls == len(said) - len(refused)
        assert b.get("/api/v1/keys/SAE_A/status").status == 200


def test_guessed_ids_are_limited_and_other_requests_go_on(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"wrong_ids": 3}) as server:
        b = server.client("SAE_B")
        said = [b.get(f"{DEC}?key_ID={uuid.uuid4()}") for _ in range(20)]
        assert [each.status for each in said[:3]] == [400] * 3
        assert [each.status for each in said[3:]].count(503) >= 16  # one comes back in 20 s
        assert 0 < int(said[-1].headers["Retry-After"]) <= 20
        assert server.keys.calls <= 4
        assert b.keys("SAE_A", "enc_keys").status == 200


def test_keys_of_others_count_as_wrong(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"wrong_ids": 3}) as server:
        a, b = server.client("SAE_A"), server.client("SAE_B")
        (key,) = a.keys("SAE_C", "enc_keys").values["keys"]
        said = [b.get(f"{DEC}?key_ID={key['key_ID']}").status for _ in range(5)]
        assert (said[:3], said[-1]) == ([401] * 3, 503)


ANY = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"


def is_open(connection: ssl.SSLSocket) -> bool:
    """Whether a request is answered; a server that is full has closed the connection meanwhile, or is about to."""
    try:
        connection.sendall(ANY)
        return connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    except CLOSED:
        return False


def test_one_sae_with_all_connections_makes_room_for_others(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"connections": 4}) as server, contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(plain(server)) for _ in range(4)]
        assert all(map(is_open, greedy))
        assert is_open(greedy[0])  # so the second one is idle for longest
        others = [stack.enter_context(plain(server, "SAE_B")) for _ in range(2)]
        assert all(map(is_open, others))
        assert [is_open(each) for each in greedy] == [True, False, False, True]
        assert is_open(stack.enter_context(plain(server)))  # each has two: its own
        assert all(map(is_open, others))
        metrics = server.monitor("/metrics")[1]
        assert "ndks_serve_connections 4\n" in metrics
        assert "ndks_serve_turned_away_total 3\n" in metrics


def test_connections_that_are_gone_take_no_place(certificates: Path) -> None:
    with running(certificates, sae=BOTH, limits={"connections": 3}) as server, contextlib.ExitStack() as stack:
        staying = [stack.enter_context(plain(server, each)) for each in ("SAE_A", "SAE_B")]
        for _ in range(8):
            with plain(server) as short:
                assert is_open(short)
            while "ndks_serve_connections 2\n" not in server.monitor("/metrics")[1]:
                time.sleep(0.01)
        assert all(map(is_open, staying))
        assert "ndks_serve_turned_away_total 0\n" in server.monitor("/metrics")[1]


def test_connections_with_a_request_are_cut_off_last(certificates: Path) -> None:
    head = f"POST {ENC} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
    with running(certificates, sae=BOTH, limits={"connections": 3}) as server, contextlib.ExitStack() as stack:
        idle, *asking = (stack.enter_context(plain(server)) for _ in range(3))
        for each in asking:
            each.sendall(head)
            assert each.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
        others = [stack.enter_context(plain(server, "SAE_B")) for _ in range(2)]
        assert all(map(is_open, others))
        assert not is_open(idle)
        asking[0].sendall(b"{}")
        assert asking[0].recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert until_end(asking[1]) == b""


def test_clients_that_are_not_served_count_as_one(certificates: Path) -> None:
    with running(certificates, limits={"connections": 4}) as server, contextlib.ExitStack() as stack:
        names = ("SAE_A", "NOBODY", "SAE_C", "SAE_D")  # those of the other site are not served here, either
        mine, *strangers = (stack.enter_context(plain(server, each)) for each in names)
        assert is_open(mine)
        assert is_open(stack.enter_context(plain(server)))
        assert is_open(mine)
        assert until_end(strangers[0]) == b""


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
