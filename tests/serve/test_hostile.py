# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that mean harm: no or wrong certificates, old TLS, huge and slow bodies, guessed ids, floods."""

import contextlib
import json
import logging
import socket
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from ndks_gateways.keys import refusals
from ndks_gateways.serving import answers

from .key_servers import HOST, PATIENCE, Running, running
from .raw_connections import BOTH, CLOSED, DEC, ENC, is_refused, plain, until_end, wait_for_connections


@pytest.fixture(scope="module")
def server(certificates: Path) -> Iterator[Running]:
    with running(certificates, sae=BOTH) as found:
        yield found


@pytest.fixture(scope="module")
def impatient(certificates: Path) -> Iterator[Running]:
    with running(certificates, sae=BOTH, limits={"patience": 2}) as found:
        yield found


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
