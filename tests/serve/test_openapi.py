# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The OpenAPI document, by schemathesis: what it allows and what it does not, sent to a server."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode, checks

from .key_servers import HOST, Running, running

UNLIMITED = {"requests": 1_000_000, "wrong_ids": 1_000_000}
BOTH = {"here": ["SAE_A"], "there": ["SAE_B"]}
SKIP = {"local": "Alice", "remote": ["Bob"], "clients": ["SAE_A"]}


@pytest.fixture(scope="module")
def server(certificates: Path) -> Iterator[Running]:
    groups = {"G": ["SAE_A", "SAE_B"]}
    with running(certificates, sae=BOTH, skip=SKIP, limits=UNLIMITED, groups=groups) as found:
        yield found


def document(server: Running) -> dict[str, Any]:
    said = server.client("SAE_A").get("/openapi.json")
    assert said.status == 200
    return said.values


@pytest.fixture(scope="module")
def schema(server: Running) -> Any:
    """The served document, with the names that this server knows: others are refused, as they should."""
    found = document(server)
    known = {"SAE_ID": ["SAE_A", "SAE_B"], "remoteSystemID": ["Bob"]}
    for path in found["paths"].values():
        for parameter in [*path.get("parameters", []), *path.get("get", {}).get("parameters", [])]:
            if parameter["name"] in known:
                parameter["schema"] = {"enum": known[parameter["name"]]}
    loaded = schemathesis.openapi.from_dict(found)
    loaded.config.update(base_url=f"https://{HOST}:{server.port}")
    return loaded


def test_the_document_is_of_the_standard(server: Running) -> None:
    found = document(server)
    paths = {path: sorted(set(said) & {"get", "post"}) for path, said in found["paths"].items()}
    assert paths == {
        "/api/v1/keys/{SAE_ID}/status": ["get"],
        "/api/v1/keys/{SAE_ID}/enc_keys": ["get", "post"],
        "/api/v1/keys/{SAE_ID}/dec_keys": ["get", "post"],
        "/capabilities": ["get"],
        "/key": ["get"],
        "/key/{keyId}": ["get"],
        "/entropy": ["get"],
    }
    assert "secret" not in json.dumps(found).lower()


def test_no_list_of_required_fields_is_empty(server: Running) -> None:
    """OpenAPI 3.0 forbids it, and openapi-spec-validator refuses such a document."""
    schemas = document(server)["components"]["schemas"]
    assert all(each.get("required") != [] for each in schemas.values())


def test_without_skip_its_paths_are_not_there(certificates: Path) -> None:
    with running(certificates) as server:
        assert all(path.startswith("/api/") for path in document(server)["paths"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_requests_of_all_kinds_are_answered_as_it_says(server: Running, schema: Any, mode: GenerationMode) -> None:
    with requests.Session() as session:
        session.cert = tuple(str(server.directory / each) for each in ("SAE_A.crt", "SAE_A.key"))
        session.trust_env = False
        for result in schema.get_all_operations():
            operation = result.ok()
            statuses = answered(operation, mode, session, str(server.directory / "ca.crt"))
            if mode == GenerationMode.POSITIVE:
                by_id = "dec_keys" in operation.path or "keyId" in operation.path  # no id that is drawn is known
                assert (400 if by_id else 200) in statuses, operation.label


def answered(operation: Any, mode: GenerationMode, session: requests.Session, authority: str) -> set[int]:
    """Send requests for an operation, check each answer, and return the statuses."""
    wanted = [checks.not_a_server_error, *_named("status_code_conformance", "content_type_conformance")]
    wanted += _named("response_schema_conformance", "unsupported_method")
    statuses = set[int]()

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(max_examples=20, suppress_health_check=list(hypothesis.HealthCheck))
    def ask(case: Any) -> None:
        response = case.call(session=session, verify=authority)
        case.validate_response(response, checks=wanted)
        statuses.add(response.status_code)

    with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # where nothing can be wrong
        ask()
    return statuses


def _named(*names: str) -> list[Any]:
    return [checks.CHECKS.get_one(name) for name in names]
