# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Approval of candidates (PROTOCOL.md section 13): request, agreement, and signature in; package out."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ndks_protocol.wire import ELECTED

from ..exceptions import CheckFailed, UsageError
from .administrator import Administrator
from .agreement import Agreement
from .generation import Admission, State
from .join_package import check_public_key
from .join_request import CommittedRequest, JoinRequest
from .member_package import MemberPackage, seal_member

_DAY = timedelta(days=1)


def agreement_for(administrator: Administrator, request: JoinRequest, who: str, when: str, why: str) -> Agreement:
    """Return what the competent authority agrees to, and signs where the network names one."""
    digest = sha256(request.content).hexdigest()
    return Agreement(digest, administrator.state.network.name, administrator.keys.public.hex(), who, when, why)


def refuse(administrator: Administrator, request: JoinRequest) -> None:
    """Raise the error with which `approve` would refuse a request, whatever was agreed to."""
    state = administrator.state
    request.check_network(state.network.name)
    check_public_key(request.public_key)
    digest = sha256(request.content).hexdigest()
    if former := next((member for member in state.members if member.admission.request == digest), None):
        what = f"this request was approved before, for lane {former.lane}"
        advice = "use the package that was made then, or have the unit make another request: ndks join request"
        retire = f"; if no package was written: ndks network retire FILE {former.lane} first"
        raise UsageError(what, advice + (retire if former.state == State.IN else ""))
    if not state.awaited(request.serial_number):
        state.refuse_member(request.serial_number)


def check_agreement(
    administrator: Administrator, request: JoinRequest, agreement: Agreement, signature: str = ""
) -> None:
    """Raise the error with which `approve` would refuse an agreement to a request. CheckFailed."""
    state = administrator.state
    agreement.check(request.content, state.network.name, administrator.keys.public)
    _check_date(request, agreement)
    if state.authority:
        agreement.check_signature(signature, state.authority)


def approve(
    administrator: Administrator, request: JoinRequest, agreement: Agreement, signature: str = "", mode: int = ELECTED
) -> MemberPackage:
    """Give the unit of a request a lane, make the next generation, and return the package; its bundle is published too.

    CheckFailed: the request is for another network, or the agreement is for another request, or not signed by the
    authority. AuthenticationError PUBLIC_KEY. UsageError: the request was approved before, or the unit is a member.
    """
    check_agreement(administrator, request, agreement, signature)
    refuse(administrator, request)
    state = administrator.state
    admission = _admission(request, agreement)
    if awaited := state.awaited(request.serial_number):
        return seal_member(administrator, request, awaited.lane, administrator.admit_awaited(awaited, admission), mode)
    lane = administrator.admit(request.serial_number, admission)
    return seal_member(administrator, request, lane, administrator.issue(), mode)


def _check_date(request: JoinRequest, agreement: Agreement) -> None:
    """Check that a request was agreed to after it was made and before now; dates may differ by a day. CheckFailed."""
    agreed, made = (datetime.fromisoformat(text).date() for text in (agreement.when, request.date))
    advice = "check the date of this computer, and have the agreement made and signed again"
    if agreed < made - _DAY:
        raise CheckFailed(f"the agreement is of {agreed}, before the request was made, {made}", advice)
    if agreed > datetime.now(UTC).date() + _DAY:
        raise CheckFailed(f"the agreement is of {agreed}, which has not come yet", advice)


def _admission(request: JoinRequest, agreement: Agreement) -> Admission:
    commitments = request.commitments if isinstance(request, CommittedRequest) else ()
    return Admission(request.label, agreement.request, commitments, agreement.who, agreement.when, agreement.why)
