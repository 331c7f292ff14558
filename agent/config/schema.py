"""Every key of the configuration, with its type, range and default.

The names of the fields are the names in the file. What a type alone cannot say is in its ``Meta``:
``form`` names a rule of ``agent.config.forms``, ``derived`` marks a key that the reader fills from others
when the file does not give it. Rules between keys are in ``agent.config.rules``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert, field, to_builtins

from agent.config.schema_facts import BoxFacts, SiteFacts, UplinkFacts
from agent.config.schema_failover import Failover
from agent.config.schema_mqtt import File, Mqtt, SecretFile
from agent.config.schema_panel import Panel, Window
from agent.config.schema_service import Service

Slug = Annotated[str, Meta(extra={"form": "slug"})]
Label = Annotated[str, Meta(extra={"form": "label", "derived": True})]
Address = Annotated[str, Meta(extra={"form": "address"})]
Target = Annotated[str, Meta(extra={"form": "target"})]
PublicName = Annotated[str, Meta(extra={"form": "public_name"})]
WebPage = Annotated[str, Meta(extra={"form": "web_page"})]
Band = Annotated[str, Meta(extra={"form": "band"})]
Phone = Annotated[str, Meta(extra={"form": "phone"})]
Opening = Annotated[str, Meta(extra={"form": "opening"})]

DEFAULT_TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
"""Three operators, so that the failure of one is not taken for the failure of the uplink."""

DEFAULT_NAMES = ("one.one.one.one", "dns.google")
"""Names of the public resolvers of Cloudflare and Google: they exist as long as these do."""

DEFAULT_NAME_SERVERS = ("1.1.1.1", "9.9.9.9")
"""Cloudflare and Quad9, so that names and those who are asked for them are not of one operator alone."""

DEFAULT_WEB = (
    "http://connectivitycheck.gstatic.com/generate_204",
    "http://cp.cloudflare.com/generate_204",
    "http://detectportal.firefox.com/success.txt success",
)
"""What Android asks (NetworkMonitor.java of AOSP), Cloudflare's, and what Firefox and Tailscale ask
(captive_portals.md of Firefox, net/captivedetection/endpoints.go of Tailscale): made for this purpose, asked
by hundreds of millions of devices, over plain HTTP."""


class Site(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[site]``: where this agent stands."""

    name: Slug
    """Name in MQTT topics and reports: lower-case letters, digits, ``-``; 1 to 39 characters. Required."""

    label: Label
    """Name for people; 1 to 40 characters. Default: ``name``."""

    language: Literal["fr", "en"] = "fr"
    """Language of panel, messages and reports."""

    opening: Annotated[tuple[Opening, ...], Meta(min_length=0, max_length=14)] = ()
    """When the site is open for business, local time, at most 14, like ``"mon-fri 08:00-18:30"``; an outage
    while it is closed is no alert before it opens soon. Default: always open."""

    facts: SiteFacts = SiteFacts()
    """``[site.facts]``: what only people know of it."""


class Uplink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[uplink]]``: one way to the internet. The order of the entries is the order of preference."""

    name: Slug
    """Name in MQTT topics and for ``[[box]]`` and LEDs; unique, not ``site``. Required."""

    label: Label
    """Name for people; 1 to 40 characters. Default: ``name``."""

    kind: Literal["ftth", "starlink", "cellular", "other"] = "other"
    """How it reaches the internet."""

    operator: Annotated[str, Meta(extra={"form": "label"})] | None = None
    """Who sells it; 1 to 40 characters. For reports, and to see that two uplinks can fail together."""

    interface: Annotated[str, Meta(extra={"form": "interface"})]
    """Linux network interface, at most 15 characters. Required."""

    gateway: Address | None = None
    """IPv4 address of the box on the LAN. Default: discovered, and followed when it changes."""

    source: Address | None = None
    """IPv4 address of the Pi to send from. Default: the interface's own."""

    targets: Annotated[tuple[Target, ...], Meta(min_length=2, max_length=8)] = DEFAULT_TARGETS
    """Public IPv4 addresses to ping, 2 to 8, of different operators."""

    interval_s: Annotated[float, Meta(ge=0.2, le=60.0, extra={"derived": True})]
    """Seconds between two pings of one target, 0.2 to 60. Default: 10 for ``cellular``, else 1."""

    timeout_s: Annotated[float, Meta(ge=0.2, le=5.0)] = 1.0
    """Seconds until a ping counts as lost, 0.2 to 5; a later answer still proves the uplink alive."""

    data_mb: Annotated[int, Meta(ge=5, le=100_000, extra={"derived": True})] | None = None
    """Megabytes (10^6 bytes) a month that the agent itself may use on it, 5 to 100000. Default: 50 for
    ``cellular`` that is not the first uplink, else no limit."""

    facts: UplinkFacts = UplinkFacts()
    """``[uplink.facts]``: what only people know of it."""


class Box(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[box]]``: a powered device on an uplink: ONT, router, modem, dish supply."""

    name: Slug
    """Name in MQTT topics and commands; unique among boxes. Required."""

    label: Label
    """Name for people; 1 to 40 characters. Default: ``name``."""

    uplink: Annotated[str, Meta(extra={"form": "uplink"})]
    """Name of the uplink it belongs to. Required."""

    relay: Annotated[str, Meta(extra={"form": "relay"})] | None = None
    """``gpio9`` to ``gpio27`` (BCM numbers), or ``virtual:/path#box``. Default: watched, never cut."""

    off_s: Annotated[float, Meta(ge=3.0, le=100.0)] = 10.0
    """Seconds without power in a cycle, 3 to 100."""

    boot_s: Annotated[float, Meta(ge=5.0, le=900.0)] = 120.0
    """Seconds the box needs after power returns until its uplink can work, 5 to 900."""

    confirm_s: Annotated[float, Meta(ge=2.0, le=3600.0, extra={"derived": True})]
    """Seconds a fault must stand before the power is cut, 2 to 3600. Default: ``boot_s``: a cycle costs
    one boot, and who waits exactly as long as acting costs never pays more than twice the least possible."""

    api: Literal["livebox", "freebox", "sfr", "bbox", "starlink"] | None = None
    """Whose language it speaks, so that it can be asked about its line. Default: it is not asked."""

    address: Annotated[str, Meta(extra={"form": "address", "derived": True})] | None = None
    """IPv4 address at which it is asked. Default: ``gateway`` of its uplink, else as ``api`` is delivered."""

    password_file: SecretFile | None = None
    """What it must be told before it speaks: absolute path of a file with its password (``freebox``: its
    token), or the name of a systemd credential, which ends in ``-password`` or ``-token``. Default: none, so
    only what it tells everybody is read."""

    reboot: bool = True
    """False: never rebooted by software, also where its driver can."""

    facts: BoxFacts = BoxFacts()
    """``[box.facts]``: what only people know of it."""


class Modem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[modem]]``: the cellular modem of an uplink, which is asked about its radio.

    It is rebooted by software before its power is cut. The box of its uplink, if there is one, is its power.
    """

    name: Slug
    """Name in MQTT topics and commands; unique among modems and boxes. Required."""

    label: Label
    """Name for people; 1 to 40 characters. Default: ``name``."""

    uplink: Annotated[str, Meta(extra={"form": "uplink"})]
    """Name of its uplink, of kind ``cellular``; one modem for each. Required."""

    driver: Literal["hilink", "at"]
    """How it is asked: ``hilink``, Huawei's web interface; ``at``, AT commands on a serial port. Required."""

    address: Annotated[str, Meta(extra={"form": "address", "derived": True})] | None = None
    """IPv4 address of a ``hilink`` modem. Default: ``gateway`` of its uplink, else 192.168.8.1."""

    device: File | None = None
    """Serial port of an ``at`` modem, best by its stable name below ``/dev/serial/by-id``; required there."""

    username: Annotated[str, Meta(extra={"form": "text"})] = "admin"
    """User of a ``hilink`` modem's own pages; 1 to 128 characters."""

    password_file: SecretFile | None = None
    """Password of a ``hilink`` modem: absolute path of a file, or the name of a systemd credential. Default:
    it is never logged in to; then some tell less, and most refuse to reboot."""

    boot_s: Annotated[float, Meta(ge=5.0, le=900.0)] = 90.0
    """Seconds from its reboot to working internet, 5 to 900, where no ``[[box]]`` stands on its uplink."""

    reboot: bool = True
    """False: never rebooted by software."""

    data_gb: Annotated[float, Meta(ge=0.1, le=10000.0)] | None = None
    """What the subscription allows in a month, gigabytes (10^9 bytes), 0.1 to 10000. Default: what the modem
    was told, if anything."""

    bands: Annotated[tuple[Band, ...], Meta(min_length=0, max_length=8)] = ()
    """Radio bands that serve well here, like ``"B20"`` or ``"n78"``, at most 8. Default: any."""

    sms_to: Annotated[tuple[Phone, ...], Meta(min_length=0, max_length=3)] = ()
    """Who gets a text message when no uplink works: international numbers, at most 3. Default: nobody."""

    sms_after_s: Annotated[float, Meta(ge=30.0, le=3600.0)] = 120.0
    """How long no uplink must have worked before, 30 to 3600 s."""


class Power(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[power]``: when boxes may be cut. Counts are per box."""

    armed: bool = True
    """False: nothing is ever cut, and panel, status and MQTT say so."""

    per_incident: Annotated[int, Meta(ge=1, le=2)] = 2
    """Most cycles in one incident, 1 to 2."""

    per_day: Annotated[int, Meta(ge=1, le=3)] = 3
    """Most cycles in 24 hours, 1 to 3."""

    spacing_s: Annotated[
        tuple[Annotated[float, Meta(ge=1.0, le=86400.0)], ...], Meta(min_length=1, max_length=5)
    ] = (300.0, 1800.0, 14400.0)
    """Seconds from a cycle to the next, after the first, the second and so on; 1 to 5 numbers, 1 to 86400.
    Below 300 only for tests."""

    require_proof: bool = True
    """Only relays that were seen to cut the right box are used automatically; see ``vigie commission``."""

    after_power_s: Annotated[float, Meta(ge=0.0, le=3600.0)] = 600.0
    """Seconds without any cut after the site's own power came back, 0 to 3600: everything is booting."""

    maintenance: Annotated[tuple[Window, ...], Meta(min_length=0, max_length=4)] = ()
    """The operators' maintenance windows, local time, at most 4, like ``"01:00-05:00"``."""

    maintenance_confirm_s: Annotated[float, Meta(ge=2.0, le=14400.0)] = 1800.0
    """How long a fault must stand before a cut within such a window, 2 to 14400 s."""


class Checks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[checks]``: what is asked through every uplink beside pings, seldom, and at once when in doubt."""

    names: Annotated[tuple[PublicName, ...], Meta(min_length=0, max_length=4)] = DEFAULT_NAMES
    """Names that must exist and have a public address, 0 to 4, of different operators."""

    name_servers: Annotated[tuple[Target, ...], Meta(min_length=0, max_length=3)] = DEFAULT_NAME_SERVERS
    """Public IPv4 addresses of name servers to ask, 0 to 3; the box of the uplink is asked as well."""

    web: Annotated[tuple[WebPage, ...], Meta(min_length=0, max_length=4)] = DEFAULT_WEB
    """Pages whose answer is known, 0 to 4: ``http://host/path`` answers 204; with a space and a text behind
    it answers 200 with exactly this text."""

    every_s: Annotated[float, Meta(ge=30.0, le=86400.0)] = 300.0
    """Seconds between two rounds through one uplink, 30 to 86400."""

    every_metered_s: Annotated[float, Meta(ge=30.0, le=86400.0)] = 1800.0
    """The same for uplinks of kind ``cellular``, 30 to 86400."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. Only ``reader`` makes one; every value is plain and checked."""

    site: Site
    uplink: Annotated[tuple[Uplink, ...], Meta(min_length=1, max_length=6)]
    box: tuple[Box, ...] = ()
    modem: tuple[Modem, ...] = ()
    service: Annotated[tuple[Service, ...], Meta(min_length=0, max_length=8)] = ()
    power: Power = Power()
    failover: Failover = Failover()
    checks: Checks = Checks()
    panel: Panel = field(default_factory=Panel)
    mqtt: Mqtt | None = None


def from_builtins(raw: dict[str, Any]) -> Config:
    """The typed form of what the reader has checked and completed.

    Raises:
        msgspec.ValidationError: the reader let something through that the schema forbids.
    """
    return convert(raw, Config)


def as_builtins(config: Config) -> dict[str, Any]:
    """The configuration as plain tables, lists and scalars, as JSON can hold them."""
    result: dict[str, Any] = to_builtins(config)
    return result
