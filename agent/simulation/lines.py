"""How one uplink and its box behave, and what they answer to whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.core.model import Why

ADDRESS = "192.168.1.10"
GATEWAY = "192.168.1.1"
HOP = "100.64.0.1"
WELL, SILENT, REFUSED, WRONG, UNSENT = "well", "silent", "refused", "wrong", "unsent"
"""What can come of a question beyond echoes."""


@dataclass(slots=True)
class Terminal:
    """An optical terminal with a supply of its own, between the line and the box: it shows on no carrier."""

    powered: bool = True
    booted: bool = True
    boots: int = 0
    hung: bool = False
    """Nothing gets through it any more."""
    cures: bool = True
    """A power cycle ends the hang."""

    @property
    def works(self) -> bool:
        """Packets get through it."""
        return self.powered and self.booted and not self.hung


@dataclass(slots=True)
class Line:
    """How one uplink behaves. A new one works."""

    # the cable and the interface
    cable: bool = True
    trunk: bool = True
    """What all cables share: the switch, or the machine's own plug."""
    present: bool = True
    """The interface exists: a USB modem in its socket."""
    host: int = 10
    """Last number of the address that the box has given."""
    unsendable: Why | None = None
    """Nothing can be sent although the link is there, and why."""

    switched: bool = False
    """A switch stands between the machine and the box: the carrier is the switch's."""

    # the box
    powered: bool = True
    plugged: bool = True
    """Its supply is in the outlet."""
    dark: bool = False
    """Booting, its LAN port still without a carrier."""
    booted: bool = True
    boots: int = 0
    """Which boot is under way; an older one's end no longer counts."""
    boots_in_s: float | None = None
    """How long a boot takes; None is three quarters of what is configured."""
    answers: bool = True
    """It is there on the LAN."""
    shy: bool = False
    """It never answers pings, and works all the same."""
    hung: bool = False
    """Nothing of it answers; only the carrier stays."""
    half_hung: bool = False
    """It answers on the LAN and forwards nothing."""
    mute: bool = False
    """It says nothing of itself any more."""
    cures: bool = True
    """A power cycle ends the hang."""
    outlives: int = 0
    """So many power cycles do not end the hang."""
    becomes: str = "well"
    """What it is after the boot that ends the hang: ``well``, or ``portal``."""
    denies: bool = False
    """It says itself that it has no way out."""
    portal: bool = False
    """Another answers in the place of every name and page: unpaid, or data used up."""
    portal_pings: bool = True
    """Pings pass through the portal."""
    names: str = WELL
    """What name servers bring: ``well``, ``silent``, ``refused`` or ``wrong``."""

    # what it says of itself
    speaks: str | None = None
    """Who can be asked: ``hilink``, ``at``, ``starlink``, ``livebox``, ``freebox``, ``sfr``, ``bbox``."""
    locked: bool = False
    """It refuses the password."""
    sim: str | None = None
    registration: str | None = None
    signal: str | None = None
    band: str | None = None
    """Of the cell, where it is another than usual with this signal."""
    network: str | None = None
    """Whose mobile network it is in."""
    data: str = "connected"
    """``refused``: the network lets the modem in, and to no data."""
    month_gb: float | None = None
    """Used this month, gigabytes."""
    dish: str = "well"
    """What a dish is in; nothing passes unless it is ``well``."""
    obstructed_pct: float | None = None
    rx_dbm: float | None = None

    # how it looks from outside
    public: str | None = None
    """Its public address; None is one of its own."""
    carrier_grade: bool = False
    """The operator gives it an address that many customers share."""

    # the line and what is behind it
    terminal: Terminal | None = None
    light: bool = True
    operator: bool = True
    """The operator's network works beyond its first hop."""
    hop: bool = False
    """The operator's first hop answers whoever asks it."""
    forwards: bool = True
    """Packets get through, for whatever reason they may not."""
    loss: float = 0.0
    """Share of the echoes to targets that get lost."""
    rtt_s: float = 0.008
    dead_targets: set[str] = field(default_factory=set)

    @property
    def carrier(self) -> bool:
        """The interface has one."""
        powered = self.switched or (self.powered and not self.dark)
        return self.cable and self.trunk and self.present and powered

    @property
    def lan(self) -> bool:
        """The box answers on the LAN."""
        return self.carrier and self.booted and self.answers and not self.hung

    @property
    def address(self) -> str | None:
        """The machine's address on this uplink; one that was given stays while a box hangs."""
        net = "100.64.7" if self.carrier_grade else "192.168.1"
        return f"{net}.{self.host}" if self.lan or (self.carrier and (self.hung or self.switched)) else None

    @property
    def radio(self) -> bool:
        """A modem is let into the network, and hears it."""
        return (
            self.sim in (None, "ready")
            and self.registration in (None, "home", "roaming")
            and self.signal != "unusable"
        )

    @property
    def lets_data(self) -> bool:
        """Modem or dish have nothing against it that packets pass."""
        return self.radio and self.data != "refused" and self.dish == "well"

    @property
    def listens(self) -> bool:
        """Its device answers whoever asks it; a serial port does while nothing answers on the network."""
        there = self.lan if self.speaks != "at" else self.present and self.powered and self.booted
        return there and not self.mute

    @property
    def reaches_operator(self) -> bool:
        """Packets reach the operator's first hop."""
        if self.terminal is not None and not self.terminal.works:
            return False
        return (
            self.lan
            and self.forwards
            and self.light
            and self.lets_data
            and not (self.half_hung or self.denies)
        )

    @property
    def works(self) -> bool:
        """The internet is there, for echoes at least."""
        return self.reaches_operator and self.operator and (self.portal_pings or not self.portal)

    @property
    def serves(self) -> bool:
        """It works for whoever has a cable of his own to the box, as the site's router has."""
        return self.works if self.cable else replace(self, cable=True).works

    def replies(self, target: str) -> bool:
        """An echo to the target would be answered, unless it gets lost."""
        return self.works and target not in self.dead_targets

    def said(self, asked: str) -> str:
        """What comes of a question: ``asked`` is ``name``, ``web`` or ``hop``."""
        if self.address is None or self.unsendable is not None:
            return UNSENT
        if not self.lan:
            return SILENT
        if self.denies:
            return REFUSED
        if not self.reaches_operator:
            return SILENT
        if asked == "hop":
            return WELL if self.portal_pings or not self.portal else SILENT
        if self.portal:
            return WRONG
        if not self.operator:
            return SILENT
        return self.names if asked == "name" else WELL
