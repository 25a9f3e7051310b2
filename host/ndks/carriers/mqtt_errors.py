# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What it means when a broker refuses, or does not answer."""

import ssl

from paho.mqtt.reasoncodes import ReasonCode

from ..exceptions import NdksError, reason
from .carrier import CarrierError, problem_of
from .mqtt_settings import MqttSettings

_NAME_CERTIFICATE = "name the one that the broker's administrator gave: certificate=FILE&key=FILE"
_REFUSALS = {
    0x86: "the broker refuses user or password",
    0x87: "the broker does not permit this user, password or certificate",
    0x8C: "the broker refuses this way to authenticate",
}


class BrokerRefused(CarrierError):
    code = "BROKER_REFUSED"
    usual_advice = "check user, password file and certificate in the URL, and what the broker permits"


class BrokerCertificate(CarrierError):
    code = "BROKER_CERTIFICATE"
    usual_advice = "name the right authority with ca=FILE in the URL, and the broker by the name in its certificate"


def refusal(code: ReasonCode) -> BrokerRefused:
    """Return the error for a connection that the broker has refused with this code."""
    return BrokerRefused(_REFUSALS.get(code.value, f"the broker refuses the connection: {code}"))


def unanswered(settings: MqttSettings, broker: str) -> CarrierError:
    """Return what it means when a connection ends without an answer: this is how TLS 1.3 refuses a certificate."""
    what = f"{broker} ends the connection before it answers"
    if settings.certificate:
        return BrokerRefused(f"{what}: it does not accept the certificate {settings.certificate}, or is going down")
    if settings.tls:
        return BrokerRefused(f"{what}: it wants a certificate, or is going down", _NAME_CERTIFICATE)
    return CarrierError(f"{what}: it wants TLS, or is no MQTT broker", "write mqtts:// if the broker wants TLS")


def failure(error: Exception, broker: str) -> NdksError:
    """Return what to say about an error in the thread of a connection to this broker."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerCertificate(f"the certificate of {broker} is not accepted: {error.verify_message.rstrip('.')}")
    if isinstance(error, ssl.SSLError):
        return BrokerRefused(f"no TLS with {broker}: {error.reason or 'the connection was closed'}")
    if isinstance(error, OSError):
        return CarrierError(f"there is no broker at {broker}: {reason(error)}")
    return problem_of(error)
