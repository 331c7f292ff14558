"""What a device answered, in the core's words. Pure."""

from __future__ import annotations

from agent.core.devices import Radio, Registration, Says, Sim
from hardware.box_port import BoxReport, Source, cut_can_help
from hardware.ports import Cell, DataState, Signal

LONGEST = 120
"""Characters of a device's own texts, which may be anything."""


def said(uplink: str, reading: Signal | BoxReport) -> Says:
    """What the device of ``uplink`` says of itself."""
    return _modem(uplink, reading) if isinstance(reading, Signal) else _box(uplink, reading)


def silent(uplink: str, why: str, *, locked: bool = False) -> Says:
    """It did not answer, or (``locked``) will not without a password that it accepts."""
    return Says(uplink, heard=locked, why=_line(why), locked=locked or None)


def _modem(uplink: str, signal: Signal) -> Says:
    month = signal.month
    public = signal.is_public
    return Says(
        uplink,
        heard=True,
        wan_up=None if signal.data is None else signal.data is DataState.CONNECTED,
        sim=None if signal.sim is None else Sim(signal.sim.value),
        registration=None if signal.registration is None else Registration(signal.registration.value),
        refused=None if signal.data is None else signal.data is DataState.REFUSED,
        radio=_radio(signal),
        operator=_line(signal.operator or signal.plmn),
        address=signal.wan_address,
        shared=None if public is None else not public,
        month_bytes=None if month is None else month.used_bytes,
        limit_bytes=None if month is None else month.limit_bytes,
        model=_line(signal.model),
        firmware=_line(signal.firmware),
        uptime_s=signal.uptime_s,
    )


def _radio(signal: Signal) -> Radio | None:
    cell, beside = signal.cell, signal.nr or Cell()
    if signal.network is None and cell == beside == Cell():
        return None
    return Radio(
        network=None if signal.network is None else signal.network.value,
        band=cell.band,
        cell=cell.cell_id,
        rsrp_dbm=cell.rsrp_dbm,
        rsrq_db=cell.rsrq_db,
        sinr_db=cell.sinr_db,
        rssi_dbm=cell.rssi_dbm,
        nr_band=beside.band,
        nr_rsrp_dbm=beside.rsrp_dbm,
        nr_sinr_db=beside.sinr_db,
    )


def _box(uplink: str, report: BoxReport) -> Says:
    return Says(
        uplink,
        heard=True,
        line_up=report.line_up,
        wan_up=report.wan_up,
        cause=None if report.cause is None else report.cause.value,
        cut_helps=cut_can_help(report),
        address=report.wan_address,
        rx_dbm=report.optical_rx_dbm,
        obstructed_pct=report.obstructed_pct,
        model=_line(report.model),
        firmware=_line(report.firmware),
        uptime_s=report.uptime_s,
        documented=report.source is Source.DOCUMENTED,
    )


def _line(text: str | None) -> str | None:
    """A device's own text on one line, bounded."""
    if text is None:
        return None
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain[:LONGEST] or None
