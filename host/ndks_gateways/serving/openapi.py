# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The OpenAPI document of the server: the requests that it takes and all that it answers, with its own limits."""

from typing import Any

from ..keys.requests import Sizes

_VERSION = "1.1.1"  # of ETSI GS QKD 014
_JSON = "application/json"
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_UUID = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
_HEX_ID = {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}
_HEX = {"type": "string", "pattern": "^([0-9a-f]{2})+$"}
_BASE64 = {"type": "string", "format": "byte"}
_COUNT = {"type": "integer", "minimum": 0}
_ANY_OBJECTS = {"type": "array", "items": {"type": "object"}}
_REFUSALS = {
    "400": "the request is wrong, or asks for what is not available",
    "401": "the client, or one of the SAEs, is not the one that the keys are for",
    "503": "the server cannot answer now; nothing was consumed",
}
_SAE = {"name": "SAE_ID", "in": "path", "required": True, "schema": _NAME}


def document(sizes: Sizes, *, has_skip: bool) -> dict[str, Any]:
    """Return the document of a server that gives keys of these sizes."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Keys of NDKS units: ETSI GS QKD 014 V1.1.1" + (" and SKIP" if has_skip else ""),
            "version": _VERSION,
            "description": "Over TLS 1.2 or 1.3, with a client certificate. Unknown fields mean nothing.",
        },
        "paths": _etsi_paths(sizes) | (_skip_paths(sizes) if has_skip else {}),
        "components": {"schemas": _schemas(sizes)},
    }


def _etsi_paths(sizes: Sizes) -> dict[str, Any]:
    asked = [_query("number", _number(sizes)), _query("size", _size(sizes))]
    one_id = [_query("key_ID", _UUID, required=True)]
    keys = "KeyContainer"
    return {
        "/api/v1/keys/{SAE_ID}/status": {
            "parameters": [_SAE],
            "get": _operation("status", "What keys there are with a slave SAE", "Status"),
        },
        "/api/v1/keys/{SAE_ID}/enc_keys": {
            "parameters": [_SAE],
            "get": _operation("get_enc_keys", "New keys with a slave SAE", keys, asked),
            "post": _operation("post_enc_keys", "New keys with slave SAEs", keys) | _body("KeyRequest", required=False),
        },
        "/api/v1/keys/{SAE_ID}/dec_keys": {
            "parameters": [_SAE],
            "get": _operation("get_dec_keys", "The key with an id that a master SAE got", keys, one_id),
            "post": _operation("post_dec_keys", "The keys with ids that a master SAE got: all or none", keys)
            | _body("KeyIDs", required=True),
        },
    }


def _skip_paths(sizes: Sizes) -> dict[str, Any]:
    remote = _query("remoteSystemID", _NAME, required=True)
    entropy = {"type": "integer", "minimum": 1, "maximum": sizes.max_size, "default": 256}
    key_id = {"name": "keyId", "in": "path", "required": True, "schema": _HEX_ID}
    return {
        "/capabilities": {"get": _operation("capabilities", "What this key provider can do", "Capabilities")},
        "/key": {"get": _operation("key", "A new key", "SkipKey", [remote, _query("size", _size(sizes))])},
        "/key/{keyId}": {
            "parameters": [key_id],
            "get": _operation("key_by_id", "The key with an id that the remote system got", "SkipKey", [remote]),
        },
        "/entropy": {
            "get": _operation("entropy", "Random bits of this host", "Entropy", [_query("minentropy", entropy)])
        },
    }


def _operation(name: str, summary: str, answer: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    responses = {"200": _response("done", answer)}
    responses |= {status: _response(why, "Error") for status, why in _REFUSALS.items()}
    responses["404"] = _response("nothing by this name is here", "Error")
    responses["503"]["headers"] = {"Retry-After": {"schema": _COUNT}}
    return {"operationId": name, "summary": summary, "parameters": parameters or [], "responses": responses}


def _body(schema: str, *, required: bool) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {_JSON: {"schema": _reference(schema)}}}}


def _response(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": {_JSON: {"schema": _reference(schema)}}}


def _query(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _number(sizes: Sizes) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": sizes.per_request, "default": 1}


def _size(sizes: Sizes) -> dict[str, Any]:
    bounds = {"minimum": sizes.min_size, "maximum": sizes.max_size}
    return {"type": "integer", **bounds, "multipleOf": 8, "default": sizes.size}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    needed = {"required": list(required)} if required else {}  # OpenAPI 3.0 has no empty list there
    return {"type": "object", **needed, "properties": required | (optional or {})}


def _array(items: dict[str, Any], **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": items, **bounds}


def _schemas(sizes: Sizes) -> dict[str, Any]:
    names = ("source_KME_ID", "target_KME_ID", "master_SAE_ID", "slave_SAE_ID")
    counts = ("key_size", "stored_key_count", "max_key_count", "max_key_per_request", "max_key_size", "min_key_size")
    status = {**dict.fromkeys(names, _NAME), **dict.fromkeys((*counts, "max_SAE_ID_count"), _COUNT)}
    request = {
        "number": _number(sizes),
        "size": _size(sizes),
        "additional_slave_SAE_IDs": _array(_NAME),
        "extension_mandatory": _ANY_OBJECTS | {"maxItems": 0},
        "extension_optional": _ANY_OBJECTS,
    }
    ids = _array(_object({"key_ID": _UUID}), minItems=1, maxItems=sizes.per_request)
    capabilities = {
        "entropy": {"type": "boolean"},
        "key": {"type": "boolean"},
        "algorithm": _NAME,
        "localSystemID": _NAME,
        "remoteSystemID": _array(_NAME),
    }
    return {
        "Status": _object(status),
        "KeyRequest": _object({}, request),
        "KeyIDs": _object({"key_IDs": ids}),
        "KeyContainer": _object({"keys": _array(_object({"key_ID": _UUID, "key": _BASE64}), minItems=1)}),
        "Error": _object({"message": _NAME}, {"details": _ANY_OBJECTS}),
        "Capabilities": _object(capabilities),
        "SkipKey": _object({"keyId": _HEX_ID, "key": _HEX}),
        "Entropy": _object({"randomStr": _HEX, "minentropy": _COUNT}),
    }
