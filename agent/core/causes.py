"""Why one uplink is down, or not what it should be, judged from its own evidence alone."""

from __future__ import annotations

from agent.core import radio
from agent.core.codes import Code
from agent.core.devices import Registration, Sim, Strength
from agent.core.inquiries import Asked, Checked, Said
from agent.core.site import UplinkKind
from agent.core.state import NEVER, UplinkState

BOX_SILENT_S = 3.0
BOX_SILENT_LOSSES = 3
SAYS_FRESH_S = 120.0
"""What a device said of itself longer ago says nothing about now."""
SETTLE_S = 10.0
"""A link or a box that is back takes this long to have an address, a route and an answer."""
CAUSES = {
    "unpaid": Code.ACCOUNT_STOPPED,
    "disabled": Code.ACCOUNT_STOPPED,
    "booting": Code.DEVICE_BUSY,
    "updating": Code.DEVICE_BUSY,
    "stowed": Code.DEVICE_BUSY,
    "thermal": Code.DEVICE_BUSY,
    "sky_search": Code.DEVICE_BUSY,
    "obstructed": Code.VIEW_BLOCKED,
    "no_pings": Code.OPERATOR_OUTAGE,
}
"""What a device names as its own trouble, beyond the state of its line."""
SURE = 2
"""A wrong answer, or none, counts once it has been seen twice."""


def box_silent(uplink: UplinkState, now_at: float) -> bool:
    """True if the box itself has stopped answering on the LAN although its link has carrier.

    A box that never answered pings may simply not do so, and its silence then says nothing.
    """
    if not uplink.box_answers:
        return False
    link = uplink.link
    if link is not None and (link.address is None or link.gateway is None):
        return True
    pulse = uplink.box
    if pulse.lost_since is None:
        return False
    return pulse.lost >= BOX_SILENT_LOSSES and now_at - pulse.lost_since >= BOX_SILENT_S


def cause(uplink: UplinkState, boot_s: float, now_at: float) -> Code | None:
    """Why an uplink that is down is down, judged from its own evidence alone.

    What the device says of itself comes before what is guessed from silence; the nearest fault before those
    beyond it.

    Args:
        uplink: its evidence.
        boot_s: how long a box that gets its power (or its cable) back may be silent without being hung.
        now_at: monotonic seconds.

    Returns:
        The finding; None while it is not yet known whether the box answers.
    """
    link = uplink.link
    if link is not None and link.unplugged:
        return Code.CABLE_OR_POWER
    if settling(uplink, now_at):
        return None
    said = _by_its_own_word(uplink, now_at)
    if said is not None:
        return said
    starting = uplink.carrier_at is not None and now_at - uplink.carrier_at < boot_s
    if box_silent(uplink, now_at):
        return Code.CABLE_OR_POWER if starting else Code.BOX_HUNG
    if _box_in_doubt(uplink):
        return None
    if walled(uplink):
        return Code.WALLED_GARDEN
    if _first_hop_answers(uplink):
        return Code.OPERATOR_OUTAGE
    return Code.LINE_OR_OPERATOR


def settling(uplink: UplinkState, now_at: float) -> bool:
    """Its link or its box has only just come back: what is missing now may still be on its way."""
    return any(at is not None and now_at - at < SETTLE_S for at in (uplink.carrier_at, uplink.box_back_at))


def _by_its_own_word(uplink: UplinkState, now_at: float) -> Code | None:
    """What the box, the dish or the modem says of itself, if it has been asked lately."""
    says = uplink.says
    if says is None or now_at - uplink.says_at > SAYS_FRESH_S:
        return None
    if not says.heard:
        frozen = uplink.says_heard_at > NEVER and uplink.spec.kind is UplinkKind.CELLULAR
        return Code.MODEM_HUNG if frozen else None
    if says.sim not in (None, Sim.READY) or says.registration is Registration.DENIED:
        return Code.SIM_TROUBLE
    unusable = says.radio is not None and radio.strength(says.radio) is Strength.UNUSABLE
    if unusable or says.registration is Registration.NONE:
        return Code.NO_SIGNAL
    if says.registration is Registration.SEARCHING:
        # Out of service a modem has no cell to measure; some stay so for ever until they are restarted.
        return Code.NO_NETWORK
    if says.refused and says.registration in (None, Registration.HOME, Registration.ROAMING):
        return Code.DATA_REFUSED
    if says.cause in CAUSES:
        return CAUSES[says.cause]
    if says.line_up is False:
        # A receiver that is stuck looks the same from inside as a dead line; the device knows which.
        return Code.LINE_OR_OPERATOR if says.cut_helps else Code.LINE_DOWN
    return None


def broke_since(uplink: UplinkState) -> float:
    """From when on an answer beyond echoes belongs to the present trouble."""
    return uplink.broke_at if uplink.broke_at is not None else uplink.since


def _of_now(uplink: UplinkState) -> list[Checked]:
    """What was asked since the uplink is as it is: in this outage, or since it came back."""
    since = (uplink.recovered_at or NEVER) if uplink.health.works else broke_since(uplink)
    return [one for one in uplink.checks.values() if one.check.sent_at >= since]


def walled(uplink: UplinkState) -> bool:
    """Somebody answers in the place of the internet: two questions, or one twice, and no true web page."""
    fresh = _of_now(uplink)
    wrong = sum(one.times for one in fresh if one.check.said is Said.WRONG)
    pages = [one for one in fresh if one.check.asked is Asked.WEB]
    return wrong >= SURE and not any(one.check.said is Said.WELL for one in pages)


def names_fail(uplink: UplinkState) -> bool:
    """Every name server that was asked has failed twice, although the internet itself answers."""
    asked = [one for one in _of_now(uplink) if one.check.asked is Asked.NAME]
    return bool(asked) and all(
        one.check.said in (Said.SILENT, Said.REFUSED) and one.times >= SURE for one in asked
    )


def _first_hop_answers(uplink: UplinkState) -> bool:
    hop = uplink.checks.get((Asked.HOP, ""))
    return hop is not None and hop.check.said is Said.WELL and hop.check.sent_at >= broke_since(uplink)


def _box_in_doubt(uplink: UplinkState) -> bool:
    """The box usually answers, and has not (yet) done so since the internet fell silent."""
    since = uplink.internet.lost_since
    unasked = since is not None and uplink.box.alive_sent < since and not uplink.denied
    return uplink.box_answers and (uplink.box.lost_since is not None or unasked)
