"""Echoes through real kernels: which way they take, what comes back, and what is told when nothing can."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from probe_bay import OTHER, TARGET, Puppet, Site, lane_alone, play, probing, site_with

from agent.core.codes import Code
from agent.core.model import Link, Probe, Role, Why
from agent.probes.checks import check_kernel
from agent.probes.icmp import IcmpProber, ProbePlan
from agent.probes.icmp_socket import EchoSocket, Reply
from agent.probes.lane import Lane
from agent.probes.links import LinkWatcher
from hardware.virtual.netns import Namespace

pytestmark = pytest.mark.bay
BOX = "192.168.1.1"


@pytest.fixture
def site() -> Iterator[Site]:
    with site_with(1) as made:
        yield made


@pytest.fixture
def two() -> Iterator[Site]:
    with site_with(2) as made:
        made.pi.sysctl("ipv4/conf/all/rp_filter", "2")
        yield made


@contextlib.contextmanager
def stamped() -> Iterator[None]:
    """Have the kernel stamp arrivals, which it begins only a moment after the first socket that wants it."""
    with contextlib.closing(EchoSocket("e0")) as echo:
        for number in range(1000):
            echo.send(BOX, number)
            time.sleep(0.005)
            (reply,) = echo.read()
            assert isinstance(reply, Reply)
            if time.time() - (reply.stamp or 0.0) > 0.004:
                break
        yield


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def arrive(lane: Lane, events: int) -> None:
    """Wait until the kernel announces these events on the lane's socket, and read nothing."""
    assert lane._socket is not None
    poll = select.poll()
    poll.register(lane._socket.fileno(), select.POLLIN)
    limit = time.monotonic() + 5.0
    while sum(found for _, found in poll.poll(0)) & events != events:
        assert time.monotonic() < limit, "the answers never came"
        time.sleep(0.001)


def plan(number: int = 0, *targets: str, **changes: object) -> ProbePlan:
    """Quick echoes through ``e<number>``."""
    settings = {"gateway": BOX, "interval_s": 0.1, "timeout_s": 0.3, **changes}
    return ProbePlan(f"way{number}", f"e{number}", targets or (TARGET,), **settings)  # type: ignore[arg-type]


# --- the way out ------------------------------------------------------------------------------------------


def test_socket_is_bound_by_the_hook_of_the_library(site: Site) -> None:
    """The library's private hook is still the one it calls: the kernel names the interface."""

    def bound() -> tuple[bytes, int, str]:
        echo = EchoSocket("e0", "192.168.1.2")
        sock = socket.socket(fileno=os.dup(echo.fileno()))
        with sock:
            name = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            found = name.rstrip(b"\0"), int(sock.type), sock.getsockname()[0]
        echo.close()
        return found

    assert site.pi.call(bound) == (b"e0", int(socket.SOCK_DGRAM), "192.168.1.2")


def test_an_overlong_interface_name_is_no_interface(site: Site) -> None:
    """The kernel would cut it to a name that may exist."""
    with pytest.raises(OSError, match="no interface can be named"):
        site.pi.call(lambda: EchoSocket("e0" * 20))


@pytest.mark.parametrize("address", ["192.168.1.3", "192.168.1.2"])
def test_echoes_leave_by_their_own_uplink(two: Site, address: str) -> None:
    """Two boxes with the same subnet, the same address and the same target; even our address may repeat."""
    two.pi.ip("addr flush dev e1", f"addr add {address}/24 dev e1")
    two.pi.ip(f"route add default via {BOX} dev e1 metric 101")

    async def story() -> None:
        async with probing([plan(1)]) as (_prober, seen):
            await seen.until(lambda: len(seen.answers()) >= 6)
            assert {probe.role for probe in seen.answers()} == {Role.BOX, Role.TARGET}
            assert seen.whys() == set()

    play(two.pi, story)
    assert two.echoes(0) == 0
    assert two.echoes(1) >= 6


def test_one_uplink_answers_while_the_other_is_down(two: Site) -> None:
    """Even the one with the better route."""

    async def story() -> None:
        async with probing([plan(0), plan(1)]) as (_prober, seen):
            await seen.until(lambda: seen.answers("way0") and seen.answers("way1"))
            two.pi.ip("link set e0 down")
            seen.probes.clear()
            await seen.until(lambda: len([p for p in seen.probes if p.uplink == "way0"]) >= 4)
            assert seen.answers("way0") == []
            assert seen.whys() == {"no_route"}
            await seen.until(lambda: len(seen.answers("way1")) >= 4)
            assert all(probe.rtt_ms is not None for probe in seen.probes if probe.uplink == "way1")

    play(two.pi, story)


def test_strict_reverse_path_filter_blinds_an_uplink_and_is_told(two: Site) -> None:
    """The echo reaches the box, the reply is dropped by ourselves: only the check can tell."""
    two.pi.sysctl("ipv4/conf/all/rp_filter", "1")

    async def story() -> None:
        parts = check_kernel(["e0", "e1"])
        assert [part.code for part in parts if not part.ok] == [Code.RP_FILTER_STRICT] * 2
        async with probing([plan(1)]) as (_prober, seen):
            await seen.until(lambda: seen.whys() == {"timeout"})
            assert seen.answers() == []
        assert two.echoes(1) > 0

    play(two.pi, story)


# --- what comes back --------------------------------------------------------------------------------------


def test_late_wrong_double_and_refusing_answers(site: Site) -> None:
    """A host that answers on command: every kind of answer has its own outcome."""
    puppet = Puppet(site.boxes[0])

    async def story() -> None:
        puppet.listen()
        async with probing([plan(gateway="0.0.0.0", interval_s=30.0)]) as (prober, seen):
            await seen.until(lambda: puppet.asked)
            puppet.reply(puppet.asked[0], sender="192.168.1.77")
            await seen.until(lambda: prober.strays == 1)
            assert seen.probes == []
            await seen.until(lambda: seen.whys() == {"timeout"})
            puppet.reply(puppet.asked[0])
            puppet.reply(puppet.asked[0])
            await seen.until(lambda: len(seen.probes) == 2)
            lost, late = seen.probes
            assert (late.sent_at, late.target) == (lost.sent_at, TARGET)
            assert late.rtt_ms is not None
            assert late.rtt_ms > 300.0

            prober.pace("way0", 0.2)
            await seen.until(lambda: len(puppet.asked) == 2)
            prober.pace("way0", 30.0)
            puppet.refuse(puppet.asked[1], BOX, kind=5)
            puppet.refuse(puppet.asked[1], "192.168.1.250", kind=11, code=0)
            await seen.until(lambda: len(seen.probes) == 3)
            assert (seen.probes[2].why, seen.probes[2].by) == (Why.UNREACHABLE, "192.168.1.250")

    try:
        play(site.pi, story)
    finally:
        puppet.close()


def test_redirect_is_no_refusal(site: Site) -> None:
    """Some boxes send one with every echo, and answer as well."""
    puppet = Puppet(site.boxes[0])

    async def story() -> None:
        puppet.listen()
        async with probing([plan(gateway="0.0.0.0", interval_s=30.0)]) as (_prober, seen):
            await seen.until(lambda: puppet.asked)
            puppet.refuse(puppet.asked[0], BOX, kind=5)
            puppet.refuse(puppet.asked[0], BOX, kind=3, code=4)
            puppet.reply(puppet.asked[0])
            await seen.until(lambda: seen.probes)
            assert len(seen.answers()) == 1

    try:
        play(site.pi, story)
    finally:
        puppet.close()


def test_unreachable_by_the_box_names_the_box(site: Site) -> None:
    """The box's own kernel says so; another target's echoes are neither refused nor unsent."""
    site.boxes[0].ip("route add unreachable 10.1.1.1")

    async def story() -> None:
        async with probing([plan(0, "10.1.1.1", TARGET)]) as (_prober, seen):
            await seen.until(lambda: len([probe for probe in seen.probes if probe.by == BOX]) >= 5)
            refused = [probe for probe in seen.probes if probe.why is not None]
            assert {(probe.why, probe.target) for probe in refused} == {(Why.UNREACHABLE, "10.1.1.1")}
            assert {probe.target for probe in seen.answers()} == {TARGET, BOX}

    play(site.pi, story)


def test_an_unread_error_does_not_stop_the_next_echo(site: Site) -> None:
    """The kernel reports the error of one echo when the next is sent, whoever to; that one still leaves."""
    site.boxes[0].ip("route add unreachable 10.1.1.1")
    clock = [100.0]

    def story() -> None:
        lane, seen = lane_alone(plan(0, TARGET, "10.1.1.1", gateway="0.0.0.0"), lambda: clock[0])
        lane.rounds.start(clock[0])
        for _ in range(3):
            lane.turn(clock[0])
            arrive(lane, select.POLLIN | select.POLLERR)
            clock[0] = lane.rounds.next_at + 0.05
        lane.read()
        lane.close()
        assert seen.whys() == {"unreachable"}
        assert len(seen.answers()) == 3

    site.pi.call(story)


def test_setting_the_wall_clock_during_an_echo_changes_no_round_trip(site: Site) -> None:
    """One hour forward, then back, as the first time synchronisation does."""
    steps = [0.0]

    async def story() -> None:
        async with probing([plan()], wall=lambda: time.time() + steps[0]) as (_prober, seen):
            for step in (3600.0, -3600.0, 0.0, 1.0):
                steps[0] = step
                so_far = len(seen.answers())
                await seen.until(lambda so_far=so_far: len(seen.answers()) >= so_far + 3)
            assert seen.whys() == set()
            assert all(0.0 <= (probe.rtt_ms or 0.0) < 300.0 for probe in seen.answers())

    play(site.pi, story)


# --- a busy machine ---------------------------------------------------------------------------------------


def test_answers_that_nobody_read_yet_are_not_lost(site: Site) -> None:
    """The socket is read before anything is given up, and the kernel's stamp is the time of arrival."""

    def story() -> None:
        lane, seen = lane_alone(plan(timeout_s=0.05), time.monotonic)
        with stamped():
            lane.rounds.start(time.monotonic())
            lane.turn(time.monotonic())
            time.sleep(0.2)  # nobody reads meanwhile; the kernel's clock cannot be passed in
            lane.turn(time.monotonic())
            lane.close()
        first = seen.answers()
        assert seen.whys() == set()
        assert len(first) == 2
        assert all(probe.rtt_ms is not None and probe.rtt_ms < 50.0 for probe in first)

    site.pi.call(story)


def test_a_blocked_event_loop_makes_no_false_timeout(two: Site) -> None:
    """The loop stands still for longer than the timeout while answers wait: true times, no loss, no burst.

    A real wait, because the stall, the kernel's stamps and the readiness of the sockets must agree.
    """
    blocked_at: list[float] = []

    def block_once(_probe: Probe) -> None:
        if not blocked_at:
            blocked_at.append(time.monotonic())
            while time.monotonic() < blocked_at[0] + 1.5:
                pass

    async def story() -> None:
        plans = [plan(0, timeout_s=1.0), plan(1, timeout_s=1.0)]
        with stamped():
            async with probing(plans, block_once) as (_prober, seen):
                await seen.until(lambda: blocked_at and len(seen.answers()) >= 10)
        assert seen.whys() == set()
        assert all((probe.rtt_ms or 0.0) < 500.0 for probe in seen.answers())
        after = [p for p in seen.probes if p.sent_at > blocked_at[0]]
        assert min(p.sent_at for p in after) >= blocked_at[0] + 1.5
        soon = [p for p in after if p.sent_at < blocked_at[0] + 1.55]
        assert len(soon) <= 8  # each of four hosts once, and perhaps its next regular place

    play(two.pi, story)
    assert blocked_at


# --- not sent ---------------------------------------------------------------------------------------------


def test_what_cannot_be_sent_is_told_apart_from_what_is_lost(site: Site) -> None:
    """No such interface, no such address, a broadcast, no address on the interface, no route."""

    async def story() -> None:
        plans = [
            ProbePlan("absent", "e9", (TARGET,)),
            ProbePlan("foreign", "e0", (TARGET,), source="10.20.30.40"),
            ProbePlan("broadcast", "e0", ("192.168.1.255",)),
            ProbePlan("bare", "e0", (TARGET,)),
            ProbePlan("lost", "e0", (TARGET,)),
        ]
        async with probing(plans) as (prober, seen):
            prober.link_changed(Link("bare", present=True, carrier=True))
            prober.link_changed(Link("lost", present=True, carrier=True, address="192.168.1.2"))
            await seen.until(lambda: len({probe.uplink for probe in seen.probes}) == 5)
            assert {probe.uplink: probe.why for probe in seen.probes} == {
                "absent": Why.NO_INTERFACE,
                "foreign": Why.NO_ADDRESS,
                "broadcast": Why.FORBIDDEN,
                "bare": Why.NO_ADDRESS,
                "lost": Why.NO_ROUTE,
            }
            assert not any(probe.why.was_sent for probe in seen.probes if probe.why)

    play(site.pi, story)


def test_a_vanished_source_address_is_told_and_recovered(site: Site) -> None:
    """The kernel first says "no route" for it; the new socket tells the truth."""
    clock = Skewed()

    async def story() -> None:
        async with probing([plan(source="192.168.1.2")], clock=clock) as (_prober, seen):
            await seen.until(seen.answers)
            site.pi.ip("addr del 192.168.1.2/24 dev e0", "addr add 192.168.1.9/24 dev e0")
            clock.ahead_s += 6.0
            await seen.until(lambda: "no_address" in seen.whys())
            site.pi.ip("addr add 192.168.1.2/24 dev e0")
            clock.ahead_s += 6.0
            seen.probes.clear()
            await seen.until(seen.answers)

    play(site.pi, story)


class Skewed:
    """A monotonic clock that a test may put ahead, to spend a retry delay."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def test_forbidden_ping_is_told_with_the_remedy_and_recovers(site: Site) -> None:
    """The part fails once, and works again once the setting is right."""
    site.pi.sysctl("ipv4/ping_group_range", "1 0")
    clock = Skewed()

    async def story() -> None:
        async with probing([plan()], clock=clock) as (_prober, seen):
            await seen.until(lambda: len(seen.probes) >= 4)
            clock.ahead_s += 3.0
            seen.probes.clear()
            await seen.until(lambda: len(seen.probes) >= 4)
            assert seen.whys() == {"forbidden"}
            assert [(part.name, part.ok, part.code) for part in seen.parts] == [
                ("icmp", False, Code.PING_FORBIDDEN)
            ]
            assert "net.ipv4.ping_group_range = 0 2147483647" in seen.parts[0].detail
            assert not check_kernel([])[0].ok
            site.pi.sysctl("ipv4/ping_group_range", "0 2147483647")
            clock.ahead_s += 3.0
            await seen.until(seen.answers)
            assert [part.ok for part in seen.parts] == [False, True]

    play(site.pi, story)


# --- interfaces that come and go --------------------------------------------------------------------------


def test_a_replugged_interface_works_again_by_itself(site: Site) -> None:
    """Deleted and made again with another address: a new socket is made without being told."""
    clock = Skewed()

    async def story() -> None:
        async with probing([plan()], clock=clock) as (_prober, seen):
            await seen.until(seen.answers)
            site.pi.ip("link del e0")
            await seen.until(lambda: "no_interface" in seen.whys())
            assert "timeout" not in seen.whys()
            site.plug(0, address="192.168.1.44")
            clock.ahead_s += 6.0
            seen.probes.clear()
            await seen.until(seen.answers)

    play(site.pi, story)


def test_prober_and_watcher_together_follow_every_replug_and_leak_nothing(site: Site) -> None:
    """Five times: another address, another gateway; no descriptor is left behind, no loss is invented."""

    async def story() -> None:
        async with probing([plan(gateway=None)]) as (prober, seen):
            watcher = asyncio.create_task(LinkWatcher({"way0": "e0"}, prober.link_changed).run())
            await seen.until(lambda: {probe.role for probe in seen.answers()} == {Role.BOX, Role.TARGET})
            descriptors = open_descriptors()
            for turn in range(5):
                site.pi.ip("link del e0")
                seen.probes.clear()
                await seen.until(lambda: "no_interface" in seen.whys())
                site.plug(0, address=f"192.168.{turn + 2}.2", gateway=f"192.168.{turn + 2}.1")
                box = f"192.168.{turn + 2}.1"
                await seen.until(lambda box=box: box in {probe.target for probe in seen.answers()})
                await seen.until(lambda: TARGET in {probe.target for probe in seen.answers()})
            assert open_descriptors() == descriptors
            watcher.cancel()
            await asyncio.wait([watcher])

    before = open_descriptors()
    play(site.pi, story)
    assert open_descriptors() == before


def test_failing_receiver_ends_the_prober(site: Site) -> None:
    """A defect is not swallowed by the event loop: the part dies, visibly."""

    def broken(_probe: Probe) -> None:
        raise ZeroDivisionError

    async def story() -> None:
        with pytest.raises(ZeroDivisionError):
            await IcmpProber([plan()], broken, lambda _part: None).run()

    play(site.pi, story)


def test_nothing_is_opened_before_the_run() -> None:
    """Pace and links may be told to a prober that does not run yet."""
    namespace = Namespace("idle")

    async def story() -> None:
        async with probing([plan()]) as (prober, _seen):
            prober.link_changed(Link("way0", present=False))
            prober.link_changed(Link("way0", present=True, address="192.168.1.2", gateway=OTHER))
            prober.pace("way0", 5.0)
            prober.pace("unknown", 5.0)

    play(namespace, story)
    namespace.close()


def test_every_echo_is_counted_and_the_box_is_free(site: Site) -> None:
    """What is counted is what the box's kernel has passed on: 44 bytes each way for each target's echo."""
    counted: list[tuple[str, int, int]] = []

    async def story() -> None:
        plans = [plan(0, TARGET, OTHER, interval_s=0.2)]
        async with probing(plans, count=lambda *what: counted.append(what)) as (_prober, seen):
            await seen.until(lambda: len(seen.answers()) >= 30)

    before = site.echoes(0)
    play(site.pi, story)
    asked = site.echoes(0) - before
    sent = sum(what[1] for what in counted)
    assert {what[0] for what in counted} == {"way0"}
    assert {what[1:] for what in counted} == {(44, 0), (0, 44)}
    boxes = asked - sent // 44
    assert 0 < boxes < asked
    assert abs(boxes - asked / 3) <= 2


def test_where_there_is_no_lan_the_box_costs_as_much_as_a_target(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a modem's own interface every echo goes out by radio, and the box is asked no more often."""
    counted: list[int] = []
    monkeypatch.setattr("agent.probes.lane.is_lan", lambda _interface: False)

    async def story() -> None:
        plans = [plan(0, TARGET, OTHER, interval_s=0.2)]
        async with probing(plans, count=lambda _uplink, sent, _received: counted.append(sent)) as (
            prober,
            seen,
        ):
            prober.pace("way0", 0.4, 0.1)
            await seen.until(lambda: len(seen.answers()) >= 30)

    before = site.echoes(0)
    play(site.pi, story)
    assert sum(counted) == 44 * (site.echoes(0) - before)
