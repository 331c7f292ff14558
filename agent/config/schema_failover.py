"""The keys of ``[failover]``, in the manner of ``schema``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Server = Annotated[str, Meta(extra={"form": "address_server"})]
UplinkName = Annotated[str, Meta(extra={"form": "uplink"})]

DEFAULT_PUBLIC_FROM = (
    "stun:stun.cloudflare.com:3478",
    "stun:stun.l.google.com:19302",
    "https://checkip.amazonaws.com/",
)
"""Two STUN servers of different operators, asked by every browser that makes calls, and a page for where UDP
does not get through."""


class Failover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[failover]``: what the site's own router does, and what it should do; see docs/failover.md."""

    mode: Literal["observe", "off"] = "observe"
    """``observe``: the site's router switches, and is watched. ``off``: only the uplinks are watched."""

    switch_cost_s: Annotated[float, Meta(ge=1.0, le=120.0)] = 10.0
    """Seconds of interruption that a switch costs the users, 1 to 120; higher means slower to say down."""

    site_interface: Annotated[str, Meta(extra={"form": "interface"})] | None = None
    """Network interface towards the site's own router. Default: that of the system's best default route among
    those that are no uplink's."""

    site_gateway: Annotated[str, Meta(extra={"form": "address"})] | None = None
    """IPv4 address of that router. Default: discovered, and followed when it changes."""

    expect_s: Annotated[float, Meta(ge=5.0, le=3600.0)] = 60.0
    """The router must have switched within so many seconds, 5 to 3600."""

    by_hand: Annotated[str, Meta(extra={"form": "text"})] | None = None
    """How to switch by hand on this site, for staff; 1 to 128 characters. Default: nobody has said."""

    public_from: Annotated[tuple[Server, ...], Meta(min_length=0, max_length=6)] = DEFAULT_PUBLIC_FROM
    """Who is asked for public addresses, in this order, 0 to 6: ``stun:host:port``, or ``https://host/path``
    (also ``http``) for a page that answers with the address alone."""

    priority: Annotated[tuple[UplinkName, ...], Meta(min_length=0, max_length=6)] = ()
    """Uplinks in the order in which they are wanted. Default: the order of the file, but those with a data
    budget last."""

    fail_back_after_s: Annotated[float, Meta(ge=60.0, le=14400.0)] = 900.0
    """How long a better uplink must have been without fault before the return to it, 60 to 14400 s."""

    fail_back_when: Literal["always", "closed"] = "always"
    """``closed``: the return waits until the site is closed; needs ``opening`` in ``[site]``."""

    proof_every_s: Annotated[float, Meta(ge=600.0, le=604800.0)] = 21600.0
    """How often a standby is proven end to end at least, 600 to 604800 s."""

    proof_every_metered_s: Annotated[float, Meta(ge=3600.0, le=604800.0)] = 86400.0
    """The same for one with a data budget, 3600 to 604800 s."""
