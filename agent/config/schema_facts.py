"""The keys of what no machine can see: facts of a site, told by people, in the manner of ``schema``.

All are optional. What is not given is unknown, never assumed to be well.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FactLabel = Annotated[str, Meta(extra={"form": "label"})]
FactText = Annotated[str, Meta(extra={"form": "text"})]


class Contact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``contacts``: whom to call."""

    name: FactLabel
    """1 to 40 characters. Required."""

    phone: Annotated[str, Meta(extra={"form": "phone"})]
    """International number, like ``"+33612345678"``. Required."""

    role: FactLabel | None = None
    """What for, 1 to 40 characters, like ``"informatique"``."""


class SiteFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[site.facts]``: what only people know of the site."""

    ups_min: Annotated[int, Meta(ge=0, le=1440)] | None = None
    """Minutes that Pi and boxes run on without mains, 0 to 1440; 0: there is no UPS."""

    pi_outlet: Literal["own", "shared", "switched"] | None = None
    """Where the Pi takes its power: an outlet of its own, a strip that it shares with boxes, or an outlet
    that a relay of the bay switches."""

    contacts: Annotated[tuple[Contact, ...], Meta(min_length=0, max_length=6)] = ()
    """Whom to call, 0 to 6, the first one first."""

    dns: Literal["public", "operator"] | None = None
    """Whom the site's machines ask for names: servers that answer through every uplink, or those of one
    operator, which often answer only its own customers."""

    last_drill: Annotated[str, Meta(extra={"form": "day"})] | None = None
    """The day on which somebody last pulled the preferred uplink to see the backup take over, like
    ``"2026-09-30"``."""

    broker_on_site: bool | None = None
    """True: the MQTT broker stands on this site and is cut off together with it."""

    fibre_available: bool | None = None
    """Whether a fibre of another operator can be had at this address."""

    sky_view: Literal["clear", "partly", "none"] | None = None
    """How much of the sky a dish on the roof would see."""

    mobile_reception: Literal["good", "fair", "poor", "none"] | None = None
    """What the best mobile network gives where an antenna could stand, by a telephone held there."""

    monthly_budget_eur: Annotated[float, Meta(ge=0.0, le=100000.0)] | None = None
    """What all uplinks together may cost a month, euros, 0 to 100000."""

    cost_per_hour_eur: Annotated[float, Meta(ge=0.0, le=100_000.0)] | None = None
    """Euros that an hour without internet costs while the site is open, 0 to 100000. Default: reports name
    no cost."""


class UplinkFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[uplink.facts]``: what only people know of an uplink."""

    contract: FactText | None = None
    """Number of the line or contract, as the operator's hotline asks for it; 1 to 128 characters."""

    hotline: FactText | None = None
    """Telephone number or address of the operator's hotline; 1 to 128 characters."""

    as_number: Annotated[int, Meta(ge=1, le=999999)] | None = None
    """Number of the autonomous system of its public address, 1 to 999999; two names may hide one network."""

    path: Annotated[str, Meta(extra={"form": "label"})] | None = None
    """What carries its line into the building, 1 to 40 characters; uplinks with the same text share it."""

    fixed_address: bool | None = None
    """Whether the operator gives it a fixed public IPv4 address."""

    repair_h: Annotated[float, Meta(ge=0.0, le=720.0)] | None = None
    """Hours in which the operator promises to repair, 0 to 720; 0: it promises nothing."""

    price_eur: Annotated[float, Meta(ge=0.0, le=100000.0)] | None = None
    """What it costs a month, euros, 0 to 100000."""


class BoxFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[box.facts]``: what only people know of a box."""

    outlet: FactLabel | None = None
    """Where it takes its power, 1 to 40 characters; boxes with the same text hang on one strip."""

    contact: Literal["nc", "no"] | None = None
    """The contact of the relay that it hangs on: normally closed (right), or normally open: without the Pi it
    has no power."""
