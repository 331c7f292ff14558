"""What a text must look like to be a name, an address, a relay: one function for each form.

Each returns None for a good text, else what is wrong with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from agent.config.hours import TIMES
from agent.config.words import Words, say

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
RELAY = re.compile(r"gpio(?P<pin>[0-9]{1,3})|virtual:(?P<path>/[^#\n]+)#(?P<box>[A-Za-z0-9_-]+)")
RELAY_PINS = range(9, 28)
"""GPIO 0 to 8 are pulled up while the Pi boots, which would cut the box."""
CREDENTIAL = re.compile(r"[a-z0-9][a-z0-9-]{0,38}-(password|token)")
KEY_CREDENTIAL = re.compile(r"[a-z0-9][a-z0-9-]{0,38}-key")
"""The ending tells the name of a credential from a password that was put in its place."""
LABEL_CHARACTERS = 40
TEXT_CHARACTERS = 128
INTERFACE_BYTES = 15  # IFNAMSIZ of the kernel, without the closing zero
_HOST = re.compile(r"(?=.{1,253}\Z)(?!.*\.\.)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_NAME = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9_-]{1,63}\.)+[A-Za-z0-9_-]{1,63}\.?")
WEB_PAGE = re.compile(
    r"http://(?P<host>[^/:?#@\s]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-\"$-~]*)?(?: (?P<body>\S.*))?"
)
_PATH = re.compile(r"/[!-\"$-~]*")
WEB_ADDRESS = re.compile(r"(?:(?P<address>[0-9.]+):)?(?P<port>[0-9]{1,5})")
LEAST_PORT = 1024
"""Ports below belong to the system; the agent has no right to them."""
BAND = re.compile(r"[Bn][1-9][0-9]{0,2}")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
"""E.164: the country's code, and 15 digits in all at most."""
WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
NEVER = "never"
_TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_NOT_PUBLIC = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "loopback": ("127.0.0.0/8",),
    "link_local": ("169.254.0.0/16",),
    "operator_internal": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4",),
    "no_host": ("0.0.0.0/8", "240.0.0.0/4"),
}
_NETWORKS = [(IPv4Network(net), reason) for reason, nets in _NOT_PUBLIC.items() for net in nets]
"""Spelt out, because what ``ipaddress`` calls private differs between versions of Python."""


def slug(text: str) -> Words | None:
    """A name for topics and references."""
    if SLUG.fullmatch(text):
        return None
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    hint = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:39].strip("-")
    return say("slug_hint", hint=hint) if hint else say("slug")


def label(text: str) -> Words | None:
    """A name for people."""
    return _line(text, LABEL_CHARACTERS)


def text(text: str) -> Words | None:
    """Any text on one line."""
    return _line(text, TEXT_CHARACTERS)


def _line(text: str, longest: int) -> Words | None:
    if not text.strip():
        return say("text_empty", longest=longest)
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        return say("text_one_line")
    return say("text_long", longest=longest, length=len(text)) if len(text) > longest else None


def interface(text: str) -> Words | None:
    """A network interface, by the kernel's own rule for names."""
    if not text:
        return say("interface_empty")
    if len(text.encode()) > INTERFACE_BYTES:
        return say("interface_long", longest=INTERFACE_BYTES, length=len(text.encode()))
    if text in (".", "..") or not text.isprintable() or any(c in "/: " for c in text):
        return say("interface_characters")
    return None


def _ipv4(text: str) -> IPv4Address | Words:
    try:
        return IPv4Address(text)
    except ValueError:
        pass
    if "/" in text:
        return say("ipv4_prefix")
    if not re.fullmatch(r"[0-9.]*", text):
        try:
            IPv6Address(text)
        except ValueError:
            return say("ipv4_name")
        return say("ipv6")
    return say("ipv4")


def address(text: str) -> Words | None:
    """The IPv4 address of one machine."""
    ip = _ipv4(text)
    if isinstance(ip, Words):
        return ip
    for reason in ("loopback", "multicast", "no_host"):
        if any(ip in IPv4Network(net) for net in _NOT_PUBLIC[reason]):
            return say("address_not_host", reason=say(reason))
    return None


def target(text: str) -> Words | None:
    """The IPv4 address of a machine on the internet."""
    ip = _ipv4(text)
    if isinstance(ip, Words):
        return ip
    reason = next((reason for net, reason in _NETWORKS if ip in net), None)
    return None if reason is None else say("target_not_public", reason=say(reason))


def is_private(host: str) -> bool:
    """True if ``host`` can only be on this machine or its LAN."""
    try:
        ip = IPv4Address(host)
    except ValueError:
        return host == "localhost" or host.rstrip(".").endswith((".local", ".lan", ".home.arpa", ".internal"))
    return any(ip in net and reason in ("private", "loopback", "link_local") for net, reason in _NETWORKS)


def uplink(text: str) -> Words | None:  # noqa: ARG001  # whether it exists is a rule between keys
    """A reference; nothing to say of its look."""
    return None


def relay(text: str) -> Words | None:
    """What switches a box."""
    match = RELAY.fullmatch(text)
    if match is None:
        digits = re.fullmatch(r"(?i)\s*(?:bcm|gpio|pin)?[\s_-]*([0-9]{1,2})\s*", text)
        if digits and int(digits[1]) in RELAY_PINS:
            return say("relay_hint", hint=f"gpio{int(digits[1])}")
        return say("relay")
    if match["pin"] is None:
        return None
    pin = int(match["pin"])
    if pin in RELAY_PINS:
        return None
    return say("relay_pulled_up") if pin < RELAY_PINS.start else say("relay_no_pin")


def file(text: str) -> Words | None:
    """An absolute path."""
    if not text.startswith("/") or text.endswith("/") or not text.isprintable():
        return say("file")
    return None


def secret_file(text: str) -> Words | None:
    """An absolute path, or the name of a credential."""
    return None if CREDENTIAL.fullmatch(text) or file(text) is None else say("secret_file")


def key_file(text: str) -> Words | None:
    """An absolute path, or the name of a credential that holds a key."""
    return None if KEY_CREDENTIAL.fullmatch(text) or file(text) is None else say("key_file")


def band(text: str) -> Words | None:
    """A radio band by its usual name."""
    return None if BAND.fullmatch(text) else say("band")


def phone(text: str) -> Words | None:
    """A telephone number as it can be dialled from everywhere."""
    if PHONE.fullmatch(text):
        return None
    digits = re.sub(r"\(0\)|[^0-9+]", "", text)
    if re.fullmatch(r"0[1-9][0-9]{8}", digits):
        # A French number as people write it; a modem that roams would dial somebody else's.
        hint = f"+33{digits[1:]}"
    else:
        hint = f"+{digits.removeprefix('+').removeprefix('00')}"
    return say("phone_hint", hint=hint) if PHONE.fullmatch(hint) else say("phone")


def host(text: str) -> Words | None:
    """A host name, an IPv4 or an IPv6 address."""
    if "://" in text or "@" in text:
        return say("host_url")
    if _HOST.fullmatch(text):
        return _ipv4_like(text)
    try:
        IPv6Address(text)
    except ValueError:
        return say("host_port") if re.fullmatch(r"[^:]+:[0-9]+", text) else say("host")
    return None


def _ipv4_like(text: str) -> Words | None:
    """Digits and points are meant as an address, and must be one."""
    if not re.fullmatch(r"[0-9.]+", text):
        return None
    ip = _ipv4(text)
    return ip if isinstance(ip, Words) else None


def public_name(text: str) -> Words | None:
    """A name on the internet, to be asked for."""
    if re.fullmatch(r"[0-9.]+", text):
        return say("name_address")
    if "://" in text or not _NAME.fullmatch(text):
        return say("name")
    return say("name_local") if is_private(text) else None


def service_host(text: str) -> Words | None:
    """A host that is asked for a service: a name, or an IPv4 address that another machine can have."""
    if "/" in text:
        return say("service_host_url")
    if re.fullmatch(r"[0-9.]+", text):
        return address(text)
    if _NAME.fullmatch(text):
        return None
    return say("host_port") if re.fullmatch(r"[^:]+:[0-9]+", text) else say("service_host")


def web_path(text: str) -> Words | None:
    """The path of a page."""
    return None if _PATH.fullmatch(text) and len(text) <= TEXT_CHARACTERS else say("web_path")


def web_page(text: str) -> Words | None:
    """A page on the internet, and what it answers."""
    if text.startswith("https://"):
        return say("web_https")
    match = WEB_PAGE.fullmatch(text)
    if match is None or not text.isprintable():
        return say("web")
    problem = public_name(match["host"])
    if re.fullmatch(r"[0-9.]+", match["host"]):
        problem = target(match["host"])
    if problem is not None:
        return say("web_host", host=match["host"], reason=problem)
    if match["port"] is not None and not 1 <= int(match["port"]) <= 65535:
        return say("web_port")
    body = match["body"]
    return None if body is None else _line(body, TEXT_CHARACTERS)


def web_address(text: str) -> tuple[str, int]:
    """The address (empty: all) and the port of a good ``panel.web``."""
    address, _, port = text.rpartition(":")
    return address, int(port)


def web_listen(text: str) -> Words | None:
    """An address of this machine and a port, or a port alone."""
    if "://" in text:
        return say("listen_url")
    match = WEB_ADDRESS.fullmatch(text)
    if match is None:
        name = re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*:[0-9]+", text)
        return say("listen_name") if name else say("listen")
    if not LEAST_PORT <= int(match["port"]) <= 65535:
        return say("listen_port", low=LEAST_PORT)
    if match["address"] is None:
        return None
    ip = _ipv4(match["address"])
    if isinstance(ip, Words):
        return say("listen")
    reason = next(
        (r for r in ("multicast", "no_host") if any(ip in n for n, why in _NETWORKS if why == r)), None
    )
    return None if reason is None else say("listen_all")


def host_name(text: str) -> Words | None:
    """A name of this machine, alone."""
    bare = _HOST.fullmatch(text) and "." not in (text[:1], text[-1:]) and not re.fullmatch(r"[0-9.]+", text)
    return None if bare else say("host_name")


def topic(text: str) -> Words | None:
    """The beginning of MQTT topics."""
    return None if _TOPIC.fullmatch(text) and len(text) <= TEXT_CHARACTERS else say("topic")


def window(text: str) -> Words | None:
    """A stretch of each day, local time."""
    return None if WINDOW.fullmatch(text) and text[:5] != text[6:] else say("window")


def quiet(text: str) -> Words | None:
    """A stretch of each day, or none."""
    return None if text == NEVER or window(text) is None else say("quiet")


FORMS: dict[str, Callable[[str], Words | None]] = {
    "slug": slug,
    "label": label,
    "text": text,
    "interface": interface,
    "address": address,
    "target": target,
    "uplink": uplink,
    "relay": relay,
    "file": file,
    "secret_file": secret_file,
    "key_file": key_file,
    "band": band,
    "phone": phone,
    "host": host,
    "public_name": public_name,
    "web_page": web_page,
    "service_host": service_host,
    "web_path": web_path,
    "web_address": web_listen,
    "host_name": host_name,
    "topic": topic,
    "window": window,
    "quiet": quiet,
    **TIMES,
}
"""By the name that the schema gives them."""
