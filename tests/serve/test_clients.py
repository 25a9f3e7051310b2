# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Public clients of others, each as its users call it, at the servers of two sites."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .fakes import FakeKeys
from .key_servers import HOST, Running, running

pytestmark = [
    pytest.mark.consumers,
    # Of packages of others.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def sites(certificates: Path) -> Iterator[tuple[Running, Running]]:
    """The servers KME_A and KME_B of one network."""
    keys = FakeKeys()
    a: dict[str, Any] = {
        "sae": {"here": ["SAE_A", "SAE_C"], "there": ["SAE_B"]},
        "skip": {"local": "KME_A", "remote": ["KME_B"], "clients": ["ENC_A"]},
    }
    b: dict[str, Any] = {
        "kme": {"id": "KME_B", "peer": "KME_A", "certificate": "KME_B.crt", "key": "KME_B.key"},
        "sae": {"here": ["SAE_B"], "there": ["SAE_A", "SAE_C"]},
        "skip": {"local": "KME_B", "remote": ["KME_A"], "clients": ["ENC_B"]},
    }
    no_groups: dict[str, Any] = {"groups": {"G": ["SAE_A", "SAE_C"]}}
    with (
        running(certificates, keys, **a, **no_groups) as first,
        running(certificates, keys, **b, **no_groups) as second,
    ):
        yield first, second


@pytest.fixture(autouse=True)
def own_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """`requests` would take these before the CA that it is given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def files(server: Running, name: str) -> tuple[str, str, str]:
    return tuple(str(server.directory / each) for each in (f"{name}.crt", f"{name}.key", "ca.crt"))


def test_etsi_qkd_014_client(sites: tuple[Running, Running]) -> None:
    module = pytest.importorskip("etsi_qkd_014_client")
    a = module.QKD014Client(f"{HOST}:{sites[0].port}", *files(sites[0], "SAE_A"))
    b = module.QKD014Client(f"{HOST}:{sites[1].port}", *files(sites[1], "SAE_B"))
    status, answer = a.get_status("SAE_B")
    assert (status, answer.key_size, answer.slave_sae_id) == (200, 256, "SAE_B")
    for wanted in ({}, {"number": 3, "size": 128}, {"number": 1, "extension_optional": [{"a": 1}]}):
        status, new = a.get_key("SAE_B", **wanted)
        assert status == 200
        status, same = b.get_key_with_key_IDs("SAE_A", [each.key_id for each in new.keys])
        assert status == 200
        assert [each.key for each in same.keys] == [each.key for each in new.keys]
    assert b.get_key_with_key_IDs("SAE_A", [new.keys[0].key_id])[0] == 400
    assert a.get_key("SAE_B", extension_mandatory=[{"a": 1}])[0] == 400


def test_qkdsec_doctor(sites: tuple[Running, Running]) -> None:
    """It asks one server as both ends, so with the certificate of one SAE."""
    client = pytest.importorskip("qkdsec.client")
    doctor = pytest.importorskip("qkdsec.doctor")
    certificate, key, ca = files(sites[0], "SAE_A")
    address = f"https://{HOST}:{sites[0].port}"
    etsi = client.ETSI014Client(address, client_cert=(certificate, key), verify=ca)
    report = doctor.run_all(etsi, "SAE_A")
    found = {each.name: each.status.value for each in report.results}
    # It expects 404 for an id that is not known; the standard has 400 for it, in table 8.
    assert found.pop("error_contract_404") == "warn"
    assert set(found.values()) == {"pass"}, found


def test_skip_qkd(sites: tuple[Running, Running]) -> None:
    module = pytest.importorskip("skip_qkd")

    def ask(server: Running, name: str, method: str, *arguments: Any) -> Any:
        certificate, key, ca = files(server, name)
        settings = module.MTLSConfig(ca, certificate, key)
        with module.SkipQKDClient(f"{HOST}:{server.port}", HOST, mtls_config=settings) as client:
            return getattr(client, method)(*arguments)

    a, b = (sites[0], "ENC_A"), (sites[1], "ENC_B")
    assert ask(*a, "capabilities") == {
        "entropy": True,
        "key": True,
        "algorithm": "NDKS",
        "localSystemID": "KME_A",
        "remoteSystemID": ["KME_B"],
    }
    assert len(bytes.fromhex(ask(*a, "entropy", 512)["randomStr"])) == 64
    new = ask(*a, "request_key", "KME_B", 128)
    assert len(bytes.fromhex(new["key"])) == 16
    assert ask(*b, "fetch_key_by_id", new["keyId"], "KME_A") == new
    with pytest.raises(RuntimeError, match="400"):
        ask(*b, "fetch_key_by_id", new["keyId"], "KME_A")
