# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Why a request for keys is refused, in the terms of ETSI GS QKD 014 V1.1.1: 400, 401, 503. All messages are here.

No message says more about a key than that it is not available.
"""

from typing import ClassVar

from ndks.exceptions import NdksError

# 400
FORMAT = "bad request format"
NUMBER = "the number of keys is out of range"
SIZE = "the size of the keys is out of range"
SIZE_OF_BYTES = "size shall be a multiple of 8"
MANDATORY = "not all extension_mandatory parameters are supported"
GROUP = "additional_slave_SAE_IDs are not, with the slave SAE, a group that this KME is configured for"
NOT_FOUND = "one or more keys specified are not found on KME"
TAKEN = "one or more keys specified were delivered to this SAE before"
TOO_OLD = "one or more keys specified are of an epoch that this KME does not serve any more"
REVOKED = "one or more keys specified are of a time in which a member that is revoked now took part"
TWICE = "a key is specified twice"
# 401
NOT_YOURS = "one or more keys specified are not for this SAE, or not from this master SAE"
# 503
UNIT_AWAY = "the unit of this KME is not at hand"
LEDGER_AWAY = "the ledger of this KME is not at hand"
LEDGER_LOST = "the ledger of this KME is empty, or older than its last keys; its administrator must decide"
NOT_HEARD = "this KME may not have heard of the epoch of one or more keys specified yet"
NO_MARK = "the last-run file of this KME cannot be written; its administrator must see to it"
TOO_MANY = "too many requests"

_SOON = 2  # seconds


class Refused(NdksError):
    """A request is refused; `status` is the HTTP status."""

    status: ClassVar[int]


class BadRequest(Refused):
    """The request, or what it asks for, is wrong: the same request will not succeed."""

    code = "BAD_REQUEST"
    status = 400
    exit_status = 2
    usual_advice = "correct the request"


class Unauthorized(Refused):
    """The SAE is not the one that these keys are for."""

    code = "UNAUTHORIZED"
    status = 401
    exit_status = 5
    usual_advice = (
        "use the certificate of the SAE that the keys are for, and the name of the SAE that has asked for them"
    )


class NotNow(Refused):
    """The server cannot answer now; nothing was consumed. `retry_after` in seconds."""

    code = "NOT_NOW"
    status = 503
    exit_status = 3
    usual_advice = "repeat it after the time in Retry-After"

    def __init__(self, message: str, retry_after: int = _SOON, advice: str = "") -> None:
        super().__init__(message, advice)
        self.retry_after = retry_after
