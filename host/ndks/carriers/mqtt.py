# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets through an MQTT broker (MQTT 5, OASIS 2019), with quality of service 1.

TOPIC/packets has what is sent once. TOPIC/bundles/G has the bundle of generation G, retained: the broker gives it to
whoever comes later. The broker keeps what arrives for a member whose agent is away. A packet is acknowledged once the
agent has stored it: until then the broker delivers it again on each new connection.
"""

import logging
import threading
import time
from collections.abc import Callable
from random import uniform
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ..exceptions import NdksError
from .bundles import Bundles
from .carrier import LARGEST, ROOM, WAITING, CarrierError, Receive, Received, tell
from .mqtt_errors import BrokerRefused, failure, refusal, unanswered
from .mqtt_settings import MqttSettings

_log = logging.getLogger(__name__)

_KEEP_ALIVE = 30  # seconds
_PASSING = 600  # seconds that a broker keeps what soon becomes worthless
_KEPT = 30 * 24 * 3600  # seconds that a broker keeps packets for an agent that is away
_AT_ONCE = 50  # packets that the broker sends before one is acknowledged
_PAUSES = 1.0, 2.0, 5.0, 10.0, 30.0  # seconds between attempts to connect, each times 0.5 to 1.5
_LASTING = 60.0  # seconds after which a connection has been a good one
_SETTLED = 3.0  # seconds after connecting by which a broker has shown all that it retains
_LONGEST_TOPIC = 1 << 16  # bytes


class MqttCarrier:
    """A broker. By the client's `identity` it knows what it has not delivered yet.

    `retains` is what the broker says and shows: it may lack the feature, drop what it has acknowledged, or be empty.
    """

    largest = None

    def __init__(self, url: str, identity: str) -> None:
        self.url = url
        self.problem: NdksError | None = CarrierError("not connected yet")
        self.retains = True
        self._settings = MqttSettings.parsed(url)
        self._identity = identity
        self._packets = f"{self._settings.topic}/packets"
        self._bundles_at = f"{self._settings.topic}/bundles/"
        self._bundles = Bundles()
        self._unproved: dict[int, int] = {}  # generations by packet identifiers that have not been acknowledged yet
        self._sending: int | None = None  # generation of a bundle whose packet identifier is not known yet
        self._may_retain = True  # what the broker said on connecting
        self._is_answered = False  # the broker has answered on this connection
        self._lock = threading.Lock()
        self._under_way = 0  # packets that the broker has not acknowledged
        self._connection = 0
        self._is_connected = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._client = self._made()

    def _made(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._identity,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
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
        # Without this, `publish` and `ack` write in the calling thread, perhaps between two halves of a packet.
        client.on_socket_register_write = _leave_it
        return client

    def start(self, receive: Receive) -> None:
        self._receive = receive
        self._thread.start()

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        if passing and not self._client.is_connected():
            return True  # it would be out of date, and hold up what others get first
        if generation is None:
            return self._publish(self._packets, packet, passing=passing) is not None
        if not self._bundles.put(generation, packet):
            return self._publish(self._topic(generation), packet) is not None
        if self._is_connected:  # otherwise on the next connection, when it is known whether the broker retains
            self._send_bundles(self._bundles.take_unsent())
        return True

    @property
    def has_room(self) -> bool:
        return self._client.is_connected() and self._under_way < ROOM

    @property
    def is_idle(self) -> bool:
        return not (self.problem or self._unproved or (self._may_retain and self._bundles.missing))

    def close(self) -> None:
        self._closing.set()
        self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _publish(self, topic: str, packet: bytes, *, retain: bool = False, passing: bool = False) -> int | None:
        """Return the packet identifier; None: too many wait."""
        properties = Properties(PacketTypes.PUBLISH)
        if passing:
            properties.MessageExpiryInterval = _PASSING
        with self._lock:
            self._under_way += 1
        sent = self._client.publish(topic, packet, qos=1, retain=retain, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            return sent.mid
        self._acknowledged()
        return None

    def _topic(self, generation: int) -> str:
        return f"{self._bundles_at}{generation}"

    def _send_bundles(self, bundles: dict[int, bytes]) -> None:
        for generation, packet in bundles.items():
            self._sending = generation
            number = self._publish(self._topic(generation), packet, retain=self._may_retain)
            if number is not None:
                self._unproved[number] = generation
            self._sending = None
        for generation in self._bundles.take_old() if self._may_retain else ():
            self._publish(self._topic(generation), b"", retain=True)

    def _acknowledged(self) -> None:
        with self._lock:
            self._under_way -= 1

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                client = self._client
                self._connect(client)
                while client.loop() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    pass
            except Exception as error:  # whatever a broker says, the carrier goes on
                tell(self, failure(error, self._broker))
            failures = 0 if time.monotonic() - began > _LASTING else failures + 1
            self._closing.wait(uniform(0.5, 1.5) * _PAUSES[min(failures, len(_PAUSES) - 1)])  # noqa: S311 - no secret

    @property
    def _broker(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _connect(self, client: paho.Client) -> None:
        self._is_answered = False
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = _KEPT
        properties.ReceiveMaximum = _AT_ONCE
        properties.MaximumPacketSize = LARGEST + _LONGEST_TOPIC
        where = self._settings.host, self._settings.port
        client.connect(*where, keepalive=_KEEP_ALIVE, clean_start=False, properties=properties)

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        self._is_answered = True
        if code.is_failure:
            tell(self, refusal(code))
            self._client.disconnect()
            return
        self._connection += 1
        self._bundles.connected()
        did_retain, self._may_retain = self._may_retain, getattr(properties, "RetainAvailable", 1) != 0
        self.retains = self._may_retain
        if did_retain and not self._may_retain and self._connection > 1:
            self._start_anew()
            return
        self._client.subscribe([(self._packets, SubscribeOptions(qos=1, noLocal=True)), self._all_bundles])
        self._later(self._settle)
        tell(self, None)
        self._is_connected = True
        self._send_bundles(self._bundles.take_unsent())

    def _start_anew(self) -> None:
        """Drop what waits: this broker would end each connection on which something is to be retained.

        Nothing is lost: others ask for packets again, and bundles are sent when this broker is back.
        """
        self._unproved.clear()
        with self._lock:
            self._under_way = 0
        self._client.disconnect()
        self._client = self._made()
        for generation, packet in self._bundles.missing.items():
            self._bundles.put(generation, packet)

    @property
    def _all_bundles(self) -> tuple[str, SubscribeOptions]:
        """What to subscribe to; each time the broker shows all that it retains, this agent's own included."""
        return f"{self._bundles_at}+", SubscribeOptions(qos=1)

    def _later(self, work: Callable[[], None]) -> None:
        """Do something on this connection once the broker has shown all that it retains."""
        connection = self._connection

        def do() -> None:
            if connection == self._connection and not self._closing.is_set():
                work()

        timer = threading.Timer(_SETTLED, do)
        timer.daemon = True
        timer.start()

    def _settle(self) -> None:
        """Publish the bundles that the broker does not retain: it is a different one, or has forgotten them."""
        self.retains = self._may_retain and self._bundles.any_shown
        if self._may_retain:
            self._send_bundles(self._bundles.missing)

    def _disconnected(self, _client: Any, _data: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._is_connected = False
        if self._closing.is_set() or (self._is_answered and self.problem):
            return
        if self._is_answered:
            why = f": {code}" if flags.is_disconnect_packet_from_server else ""
            tell(self, CarrierError(f"the broker has ended the connection{why}"))
        else:
            tell(self, unanswered(self._settings, self._broker))

    def _subscribed(self, _client: Any, _data: Any, _mid: Any, codes: list[ReasonCode], _properties: Any) -> None:
        if refused := [code for code in codes if code.is_failure]:
            tell(self, BrokerRefused(f"the broker does not permit to read {self._settings.topic}/#: {refused[0]}"))

    def _published(self, _client: Any, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        self._acknowledged()
        generation = self._unproved.pop(mid, self._sending)
        if code.is_failure:
            tell(self, BrokerRefused(f"the broker refuses what is sent to {self._settings.topic}: {code}"))
        elif generation is not None and self._may_retain:
            self._client.subscribe([self._all_bundles])  # let the broker prove that it retains what it has acknowledged
            self._later(lambda: self._judge(generation))

    def _judge(self, generation: int) -> None:
        """Send bundles like other packets if the broker has dropped one; on the next connection it gets them again."""
        missing = self._bundles.missing
        if self._may_retain and generation in missing:
            _log.info("%s: the broker retains no bundles, so they are repeated", self.url)
            self.retains = self._may_retain = False
            self._send_bundles(missing)

    def _arrived(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        connection = self._connection

        def taken() -> None:
            if connection == self._connection:  # otherwise the broker delivers it again
                client.ack(message.mid, message.qos)

        if message.payload and not self._is_own_bundle(message):
            self._receive(Received(message.payload, taken, self.url))
        else:
            taken()  # no payload: a bundle that the broker no longer retains

    def _is_own_bundle(self, message: paho.MQTTMessage) -> bool:
        """Note what the broker retains; return whether it is a bundle of this agent."""
        _, is_bundle, generation = message.topic.partition(self._bundles_at)
        if not is_bundle:
            return False
        if message.retain:
            self.retains = self._may_retain = True
        return self._bundles.arrived(generation, message.payload, is_retained=message.retain)


def _leave_it(_client: Any, _data: Any, _socket: Any) -> None:
    """Leave it to the carrier's thread to write."""
