"""Examples that several tests share: a site in each of the states that matter to people."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings

from agent.core.codes import FINDINGS, Code
from agent.core.devices import DeviceKind, Radio, Registration, Says, Sim, Strength
from agent.core.service_words import Serves, ServiceKind, Snag
from agent.core.site import UplinkKind
from agent.core.snapshot_types import (
    BoxView,
    DeviceView,
    FindingView,
    Health,
    Phase,
    ServiceView,
    ServiceWayView,
    Snapshot,
    UplinkView,
)
from hardware import login

MONO = 1000.0

settings.register_profile("no deadlines", deadline=None)
settings.load_profile("no deadlines")
"""How long an example takes on a busy machine says nothing about what it shows."""

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell starts what runs in its background with Ctrl-C ignored, and every child would inherit that."""


@pytest.fixture(autouse=True)
def no_login_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What drivers remember of refused logins is the process's, and tests use addresses again."""
    monkeypatch.setattr(login, "_LOGINS", {})


def make_uplink(name: str = "ftth", **changes: Any) -> UplinkView:
    """An uplink that works, changed as asked."""
    labels = {"ftth": "Fibre", "cellular": "4G", "starlink": "Starlink"}
    kinds = {"ftth": UplinkKind.FTTH, "cellular": UplinkKind.CELLULAR, "starlink": UplinkKind.STARLINK}
    uplink = UplinkView(
        name=name,
        label=labels.get(name, name),
        kind=kinds.get(name, UplinkKind.OTHER),
        health=Health.UP,
        since=100.0,
        why="example",
        preferred=False,
        present=True,
        carrier=True,
        address="192.168.1.2",
        gateway="192.168.1.1",
        rtt_ms=12.3,
        loss_pct=0.0,
        usual_ms=11.0,
        jitter_ms=1.5,
        mos=4.4,
        silent_s=0.0,
        bad_targets=(),
    )
    return replace(uplink, **changes)


def make_box(name: str = "box", uplink: str = "ftth", **changes: Any) -> BoxView:
    """A wired box with power, changed as asked."""
    box = BoxView(
        name=name,
        label=f"Box {uplink}",
        uplink=uplink,
        wired=True,
        phase=Phase.POWERED,
        since=100.0,
        until=None,
        cycles_today=0,
        refusal=None,
        refused_until=None,
    )
    return replace(box, **changes)


def make_modem(uplink: str = "cellular", says: Says | None = None, **changes: Any) -> DeviceView:
    """A modem with a fair signal that answered a moment ago, changed as asked."""
    told = says or Says(
        uplink,
        heard=True,
        sim=Sim.READY,
        registration=Registration.HOME,
        radio=Radio("4G", "B20", rsrp_dbm=-96.0, sinr_db=7.0),
        operator="Orange F",
    )
    modem = DeviceView(
        "modem", "Clé 4G", uplink, DeviceKind.MODEM, MONO - 20, told.heard, MONO - 20, told, Strength.FAIR
    )
    return replace(modem, **changes)


def make_service(name: str = "phone", **changes: Any) -> ServiceView:
    """A telephone that answers through fibre and 4G, changed as asked."""
    way = ServiceWayView("ftth", "Fibre", Serves.WORKS, MONO - 900, MONO - 20, None, 34.0, "200 OK")
    backup = replace(way, uplink="cellular", label="4G", at=MONO - 7200, took_ms=80.0)
    service = ServiceView(
        name, "Téléphone", ServiceKind.SIP, "sip.example.net:5060 udp", "ftth", way, (way, backup)
    )
    return replace(service, **changes)


def make_services() -> tuple[ServiceView, ...]:
    """One that works, one that would not on the backup, one that is down, one of which nothing is known."""
    well = make_service()
    fails = replace(well.now, serves=Serves.FAILS, why=Snag.SILENT, took_ms=None, detail="no answer")
    unknown = replace(well.now, serves=Serves.UNKNOWN, since=None, at=None, took_ms=None, detail="")
    return (
        well,
        make_service(
            "cards",
            label="Carte bancaire",
            kind=ServiceKind.TLS,
            uplinks=(well.now, replace(fails, uplink="cellular", label="4G")),
        ),
        make_service("workshop", label="Atelier", now=fails, uplinks=(fails, fails)),
        make_service("apps", label="Applications", now=unknown, uplinks=(unknown, unknown)),
    )


def make_finding(code: Code, subject: str = "ftth", label: str = "Fibre", **args: Any) -> FindingView:
    """A finding that stands since a minute."""
    return FindingView(code, subject, label, FINDINGS[code].severity, MONO - 60, {"label": label, **args})


def make_snapshot(**changes: Any) -> Snapshot:
    """An armed site with fibre and 4G, both working, changed as asked.

    The headline follows the findings unless it is given.
    """
    findings = changes.get("findings", ())
    snapshot = Snapshot(
        seq=1,
        mono=MONO,
        wall=1.7e9,
        synced=True,
        site="dijon",
        label="Garage de Dijon",
        armed=True,
        unarmed_why=None,
        hold_until=None,
        incident=None,
        incident_since=None,
        headline=findings[0].code if findings else Code.ALL_WELL,
        uplinks=(make_uplink("ftth", preferred=True), make_uplink("cellular", rtt_ms=48.0)),
        boxes=(make_box(),),
        findings=findings,
    )
    return replace(snapshot, **changes)


def make_scenes() -> dict[str, Snapshot]:
    """Snapshots by name: what the panel must be able to tell people."""
    down = make_uplink("ftth", health=Health.DOWN, since=MONO - 200, rtt_ms=None, silent_s=205.0)
    lte = make_uplink("cellular", preferred=True, rtt_ms=48.0)
    cycling = {
        "uplinks": (down, lte),
        "findings": (make_finding(Code.RESTARTING, "box", "Box Fibre"), make_finding(Code.BOX_HUNG)),
    }
    return {
        "all_well": make_snapshot(),
        "warming_up": make_snapshot(
            uplinks=(
                make_uplink("ftth", health=Health.UNKNOWN, rtt_ms=None),
                make_uplink("cellular", health=Health.UNKNOWN, rtt_ms=None),
            ),
            findings=(make_finding(Code.WARMING_UP, "dijon", "Garage de Dijon"),),
        ),
        "box_hung": make_snapshot(uplinks=(down, lte), findings=(make_finding(Code.BOX_HUNG),)),
        "cable_or_power": make_snapshot(uplinks=(down, lte), findings=(make_finding(Code.CABLE_OR_POWER),)),
        "line_or_operator": make_snapshot(
            uplinks=(down, lte), findings=(make_finding(Code.LINE_OR_OPERATOR),)
        ),
        "needs_human": make_snapshot(
            uplinks=(down, lte), findings=(make_finding(Code.NEEDS_HUMAN, "box", "Box Fibre", cycles=2),)
        ),
        "restarting_cut": make_snapshot(
            boxes=(make_box(phase=Phase.CUT, since=MONO - 2, until=MONO + 8),), **cycling
        ),
        "restarting_boot": make_snapshot(
            boxes=(make_box(phase=Phase.BOOTING, since=MONO - 10, until=MONO + 80),), **cycling
        ),
        "degraded": make_snapshot(
            uplinks=(
                make_uplink("ftth", health=Health.DEGRADED, preferred=True, rtt_ms=183.0, loss_pct=8.0),
                make_uplink("cellular", rtt_ms=48.0),
            ),
            findings=(make_finding(Code.DEGRADED, loss_pct=8.0),),
        ),
        "everything_down": make_snapshot(
            uplinks=(down, make_uplink("cellular", health=Health.DOWN, since=MONO - 190, rtt_ms=None)),
            findings=(make_finding(Code.EVERYTHING_DOWN, "dijon", "Garage de Dijon"),),
        ),
        "bay_dark": make_snapshot(
            uplinks=(down, make_uplink("cellular", health=Health.DOWN, since=MONO - 190, rtt_ms=None)),
            findings=(make_finding(Code.BAY_DARK, "dijon", "Garage de Dijon"),),
        ),
        "suspect": make_snapshot(
            uplinks=(
                make_uplink("ftth", health=Health.SUSPECT, preferred=True, rtt_ms=12.0, silent_s=3.0),
                make_uplink("cellular", rtt_ms=48.0),
            )
        ),
        "held": make_snapshot(hold_until=MONO + 720),
        "unarmed": make_snapshot(armed=False, unarmed_why="not_armed"),
        "three_uplinks": make_snapshot(
            uplinks=(
                down,
                make_uplink("starlink", rtt_ms=41.0, preferred=True),
                replace(lte, preferred=False),
            ),
            findings=(make_finding(Code.BOX_HUNG),),
        ),
        "refused": make_snapshot(
            mono=MONO + 4,  # the second page of the bottom line
            uplinks=(down, lte),
            boxes=(make_box(refusal="day_budget", cycles_today=3),),
            findings=(make_finding(Code.BOX_HUNG),),
        ),
        "six_uplinks": make_snapshot(
            uplinks=(
                down,
                make_uplink("starlink", rtt_ms=41.0, preferred=True),
                make_uplink("cellular", rtt_ms=48.0),
                make_uplink("Fibre atelier", health=Health.DEGRADED, rtt_ms=210.0),
                make_uplink("5G", health=Health.SUSPECT, silent_s=3.0),
                make_uplink("Radio", health=Health.UNKNOWN, rtt_ms=None),
            ),
            findings=(make_finding(Code.BOX_HUNG),),
            devices=(make_modem(strength=Strength.GOOD),),
        ),
        "service_down": make_snapshot(
            services=make_services(), findings=(make_finding(Code.SERVICE_DOWN, "workshop", "Atelier"),)
        ),
        **make_signals(down, lte),
    }


def make_signals(down: UplinkView, lte: UplinkView) -> dict[str, Snapshot]:
    """A modem with each strength of signal, in each state that its uplink may be in."""
    weak = make_finding(Code.SIGNAL_WEAK, "cellular", "4G", power_dbm=-112, band="B20")
    unplugged = replace(down, name="cellular", label="4G")
    return {
        "signal_excellent": make_snapshot(devices=(make_modem(strength=Strength.EXCELLENT),)),
        "signal_good": make_snapshot(
            uplinks=(down, lte),
            devices=(make_modem(strength=Strength.GOOD),),
            findings=(make_finding(Code.BOX_HUNG),),
        ),
        "signal_fair": make_snapshot(
            uplinks=(make_uplink(preferred=True), make_uplink("starlink"), replace(lte, preferred=False)),
            devices=(make_modem(strength=Strength.FAIR),),
        ),
        "signal_poor": make_snapshot(
            uplinks=(
                make_uplink(preferred=True),
                make_uplink("cellular", health=Health.DEGRADED, rtt_ms=183.0),
            ),
            devices=(make_modem(strength=Strength.POOR),),
            findings=(weak,),
        ),
        "signal_unusable": make_snapshot(
            uplinks=(make_uplink(preferred=True), unplugged),
            devices=(make_modem(strength=Strength.UNUSABLE),),
            findings=(make_finding(Code.NO_SIGNAL, "cellular", "4G"),),
        ),
        "signal_suspect": make_snapshot(
            uplinks=(
                make_uplink(preferred=True),
                make_uplink("cellular", health=Health.SUSPECT, silent_s=3.0),
            ),
            devices=(make_modem(),),
        ),
        "signal_restarting": make_snapshot(
            uplinks=(make_uplink(preferred=True), unplugged),
            boxes=(make_box("modem", "cellular", phase=Phase.BOOTING, until=MONO + 40),),
            devices=(make_modem(),),
            findings=(make_finding(Code.RESTARTING, "modem", "Clé 4G"),),
        ),
    }


@pytest.fixture
def example_snapshot() -> Callable[..., Snapshot]:
    """Build a snapshot of an armed site where all is well, changed by keyword."""
    return make_snapshot


@pytest.fixture
def example_uplink() -> Callable[..., UplinkView]:
    """Build an uplink that works, changed by keyword."""
    return make_uplink


@pytest.fixture
def example_box() -> Callable[..., BoxView]:
    """Build a wired box with power, changed by keyword."""
    return make_box


@pytest.fixture
def example_modem() -> Callable[..., DeviceView]:
    """Build a modem that answers, changed by keyword."""
    return make_modem


@pytest.fixture
def example_finding() -> Callable[..., FindingView]:
    """Build a finding from its code, subject, label and args."""
    return make_finding


@pytest.fixture
def scenes() -> dict[str, Snapshot]:
    """A snapshot for each state that the panel must be able to tell people."""
    return make_scenes()
