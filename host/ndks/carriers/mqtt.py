# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets through an MQTT broker (MQTT 5, OASIS 2019), with quality of service 1.

TOPIC/packets has what is sent once. TOPIC/bundles/G has the bundle of generation G, retained: the broker gives it to
whoever comes later. The broker keeps what arrives for a member whose agent is away. A packet is acknowledged when the
agent has stored it: until then the broker delivers it again after each connection.
"""

import logging
import ssl
import threading
import time
from random import uniform
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ..exceptions import NdksError, reason
from .carrier import BUNDLES, LARGEST, ROOM, WAITING, CarrierError, Receive, Received, problem_of
from .mqtt_settings import MqttSettings

_log = logging.getLogger(__name__)

_KEEP_ALIVE = 30  # seconds
_KEPT = 30 * 24 * 3600  # seconds that a broker keeps packets for an agent that is away
_AT_ONCE = 50  # packets that the broker sends before one is acknowledged
_PAUSES = 1.0, 2.0, 5.0, 10.0, 30.0  # seconds between attempts to connect, half to one and a half of each
_LASTING = 60.0  # seconds after which a connection has been a good one
_SETTLED = 3.0  # seconds after a connection in which a broker has shown all that it retains
_LONGEST_TOPIC = 1 << 16  # bytes
_REFUSALS = {
    0x86: "the broker refuses user or password",
    0x87: "the broker does not permit this user or certificate",
    0x8C: "the broker refuses this way to authenticate",
}


class BrokerRefused(CarrierError):
    code = "BROKER_REFUSED"
    usual_advice = "check user, password file and certificate in the URL, and what the broker permits"


class BrokerCertificate(CarrierError):
    code = "BROKER_CERTIFICATE"
    usual_advice = "name the right authority with ca=FILE in the URL, and the broker by the name in its certificate"


class MqttCarrier:
    """A broker. `identity` is the client's, by which the broker knows what it has not delivered yet."""

    largest = None
    retains = True

    def __init__(self, url: str, identity: str) -> None:
        self.url = url
        self.problem: NdksError | None = CarrierError("not connected yet")
        self._settings = MqttSettings.parsed(url)
        self._packets = f"{self._settings.topic}/packets"
        self._bundles_at = f"{self._settings.topic}/bundles/"
        self._bundles: dict[int, bytes] = {}  # of the last generations, which the broker is to retain
        self._retained: set[int] = set()  # of these, what the broker has on this connection
        self._shown: set[int] = set()  # of these, what the broker has given back
        self._lock = threading.Lock()
        self._under_way = 0  # packets that the broker has not acknowledged
        self._connection = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._client = self._made(identity)

    def _made(self, identity: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, identity, protocol=paho.MQTTv5, manual_ack=True, reconnect_on_failure=False
        )
        client.max_queued_messages_set(WAITING)
        if self._settings.user:
            client.username_pw_set(self._settings.user, self._settings.password)
        if self._settings.tls:
            client.tls_set_context(self._settings.tls)  # pyright: ignore[reportUnknownMemberType] (lacks a type)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        client.on_message = self._arrived
        # Without this, `publish` and `ack` write in the thread that calls them, perhaps between halves of a packet.
        client.on_socket_register_write = _leave_it
        return client

    def start(self, receive: Receive) -> None:
        self._receive = receive
        self._thread.start()

    def send(self, packet: bytes, generation: int | None = None) -> bool:
        if generation is None:
            return self._publish(self._packets, packet, retain=False)
        with self._lock:
            self._bundles[generation] = packet
            self._shown.discard(generation)
            old = sorted(self._bundles)[:-BUNDLES]
            for each in old:
                del self._bundles[each]
            is_kept = generation in self._bundles
            if is_kept:
                self._retained.add(generation)
        for each in old:
            self._publish(f"{self._bundles_at}{each}", b"", retain=True)
        return self._publish(f"{self._bundles_at}{generation}", packet, retain=is_kept)

    @property
    def has_room(self) -> bool:
        return self._client.is_connected() and self._under_way < ROOM

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self.problem and self._bundles.keys() <= self._shown

    def close(self) -> None:
        self._closing.set()
        self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _publish(self, topic: str, packet: bytes, *, retain: bool) -> bool:
        with self._lock:
            self._under_way += 1
        is_accepted = self._client.publish(topic, packet, qos=1, retain=retain).rc != MQTTErrorCode.MQTT_ERR_QUEUE_SIZE
        if not is_accepted:
            self._acknowledged()
        return is_accepted

    def _acknowledged(self) -> None:
        with self._lock:
            self._under_way -= 1

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                self._connect()
                while self._client.loop() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    pass
            except Exception as error:  # whatever a broker says, the carrier goes on
                self._tell(_failure(error, f"{self._settings.host}:{self._settings.port}"))
            failures = 0 if time.monotonic() - began > _LASTING else failures + 1
            self._closing.wait(uniform(0.5, 1.5) * _PAUSES[min(failures, len(_PAUSES) - 1)])  # noqa: S311 - no secret

    def _connect(self) -> None:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = _KEPT
        properties.ReceiveMaximum = _AT_ONCE
        properties.MaximumPacketSize = LARGEST + _LONGEST_TOPIC
        where = self._settings.host, self._settings.port
        self._client.connect(*where, keepalive=_KEEP_ALIVE, clean_start=False, properties=properties)

    def _tell(self, problem: NdksError | None) -> None:
        if str(problem) != str(self.problem):
            _log.log(logging.WARNING if problem else logging.INFO, "%s: %s", self.url, problem or "connected")
        self.problem = problem

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._tell(BrokerRefused(_REFUSALS.get(code.value, f"the broker refuses the connection: {code}")))
            self._client.disconnect()
            return
        self._connection += 1
        with self._lock:
            self._retained = set()
        self._client.subscribe(
            [
                (self._packets, SubscribeOptions(qos=1, noLocal=True)),
                (f"{self._bundles_at}+", SubscribeOptions(qos=1)),  # the own ones too: so one knows what is retained
            ]
        )
        timer = threading.Timer(_SETTLED, self._restore, (self._connection,))
        timer.daemon = True
        timer.start()
        self._tell(None)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, _code: ReasonCode, _properties: Any) -> None:
        if not self.problem and not self._closing.is_set():
            self._tell(CarrierError("the broker has ended the connection"))

    def _subscribed(self, _client: Any, _data: Any, _mid: Any, codes: list[ReasonCode], _properties: Any) -> None:
        if refused := [code for code in codes if code.is_failure]:
            self._tell(BrokerRefused(f"the broker does not permit to read {self._settings.topic}/#: {refused[0]}"))

    def _published(self, _client: Any, _data: Any, _mid: Any, code: ReasonCode, _properties: Any) -> None:
        self._acknowledged()
        if code.is_failure:
            self._tell(BrokerRefused(f"the broker refuses what is sent to {self._settings.topic}: {code}"))

    def _restore(self, connection: int) -> None:
        """Publish the bundles that the broker does not retain: it is another one, or has forgotten them."""
        with self._lock:
            lost = {g: packet for g, packet in self._bundles.items() if g not in self._retained}
        if connection == self._connection and not self._closing.is_set():
            for generation, packet in lost.items():
                self.send(packet, generation)

    def _arrived(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        connection = self._connection

        def taken() -> None:
            if connection == self._connection:  # else the broker delivers it again
                client.ack(message.mid, message.qos)

        is_own = self._is_own_bundle(message.topic.removeprefix(self._bundles_at), message.payload)
        if message.payload and not is_own:
            self._receive(Received(message.payload, taken, self.url))
        else:
            taken()  # without payload: a bundle that the broker retains no longer

    def _is_own_bundle(self, generation: str, packet: bytes) -> bool:
        """Note that the broker retains a bundle of this agent."""
        with self._lock:  # a stranger's topic may be anything, so it is never made a number
            own = next((g for g, bundle in self._bundles.items() if str(g) == generation and bundle == packet), None)
            if own is not None:
                self._retained.add(own)
                self._shown.add(own)
        return own is not None


def _leave_it(_client: Any, _data: Any, _socket: Any) -> None:
    """Leave it to the carrier's thread to write."""


def _failure(error: Exception, broker: str) -> NdksError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerCertificate(f"the certificate of {broker} is not accepted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return BrokerRefused(f"no TLS with {broker}: {error.reason or 'the connection was closed'}")
    if isinstance(error, OSError):
        return CarrierError(f"there is no broker at {broker}: {reason(error)}")
    return problem_of(error)
