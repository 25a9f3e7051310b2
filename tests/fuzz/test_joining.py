# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A blank unit that makes joining keys and gets packages: right, for another key, altered, of any bytes, and used twice.

The model of `Bench` knows which packages were sealed to which key; the unit must take no other.
"""

from collections.abc import Callable

from conversation import ERASE, FIRST, MEMBER, SECOND
from hypothesis import given
from hypothesis import strategies as st
from x25519_reference import LOW_ORDER, public_key

from fuzz.bench import Bench, fuzzed_unit
from fuzz.fuzzing import FUZZED, Draw, altered, bounded
from fuzz.test_requests import come_home, leave, limit_power, lock_drive, open_case, open_case_meanwhile, restart
from ndks_protocol import commands, errors
from ndks_protocol.framing import MAX_PAYLOAD
from ndks_protocol.session import OVERHEAD

OTHER_KEY = public_key(bytes(range(32, 64)))
LARGEST = MAX_PAYLOAD - OVERHEAD - len(FIRST.secret)  # of a package

any_fields = st.sampled_from((b"", MEMBER[:-1], MEMBER + b"x", bytes(len(MEMBER)))) | altered(st.just(MEMBER))
any_bytes = st.binary(max_size=64) | st.integers(0, LARGEST).map(bytes)


def make_key(bench: Bench, draw: Draw) -> None:
    bench.code_of(commands.JOINING_KEY)


def open_session(bench: Bench, draw: Draw) -> None:
    bench.open_session()


def join(bench: Bench, package: bytes) -> None:
    bench.request_of(commands.PROVISION_SEALED.code, FIRST.secret + package[:LARGEST])


def send_right_package(bench: Bench, draw: Draw) -> None:
    can_join = bench.channel and bench.joining_key and bench.unit.power.steps_left is None
    join(bench, bench.package(MEMBER))
    assert bench.code in (0, errors.STORAGE, errors.TAMPERED) or not can_join


def send_other_fields(bench: Bench, draw: Draw) -> None:
    join(bench, bench.package(draw(any_fields)))


def send_package_for_another_key(bench: Bench, draw: Draw) -> None:
    join(bench, bench.package(MEMBER, draw(st.sampled_from((bench.void_key or OTHER_KEY, OTHER_KEY)))))


def send_altered_package(bench: Bench, draw: Draw) -> None:
    join(bench, draw(altered(st.just(bench.package(MEMBER)))))


def send_key_of_low_order(bench: Bench, draw: Draw) -> None:
    join(bench, draw(st.sampled_from(LOW_ORDER)) + bench.package(MEMBER)[32:])


def send_anything(bench: Bench, draw: Draw) -> None:
    join(bench, draw(any_bytes))


def send_package_again(bench: Bench, draw: Draw) -> None:
    if bench.packages:
        join(bench, draw(st.sampled_from(sorted(bench.packages))))


def provision(bench: Bench, draw: Draw) -> None:
    bench.provision(SECOND.secret)


def zeroize(bench: Bench, draw: Draw) -> None:
    bench.request_of(commands.ZEROIZE.code, ERASE)


Step = Callable[[Bench, Draw], object]
STEPS: tuple[Step, ...] = (
    *(make_key, open_session, send_right_package, send_other_fields, send_package_for_another_key),
    *(send_altered_package, send_key_of_low_order, send_anything, send_package_again, provision, zeroize),
    *(leave, restart, lock_drive, limit_power, open_case, open_case_meanwhile),
)
JOINING: list[Step] = [make_key, open_session, send_right_package]
some_steps = st.lists(st.sampled_from([*([step] for step in STEPS), *[JOINING, JOINING[:2]] * 3]), max_size=16)


@FUZZED
@given(st.data(), some_steps)
def test_joining(data: st.DataObject, groups: list[list[Step]]) -> None:
    with bounded(data.draw, 1_500_000):
        bench = Bench(fuzzed_unit(), None)
        for step in (step for group in groups for step in group):
            step(bench, data.draw)
        come_home(bench)
