"""What an SFR box says of its line, asked over its REST interface (``BoxStatus`` port).

``GET /api/1.0/?method=...`` answers a line of XML, for these three without any login:

- ``wan.getInfo``: internet up or down, public address, by which line (``infra``: adsl, ftth or gprs);
- ``ftth.getInfo``: fibre link up or down. Some boxes answer it with nothing; then that is not known;
- ``system.getInfo``: model, firmware, uptime, and what the main line is (``net_infra``).

The box does not say whether there is light, so a fibre that is down is down for a reason unknown.

Sources: PyPI sfrbox-api 0.2.1 (documentation of the fields and answers of NB6VAC, of a BOX8 and a BOX10).
"""

from __future__ import annotations

from collections.abc import Mapping

from hardware.answers import address, choice, duration_s, fibre_cause, text, xml_of
from hardware.box_port import BoxReport, NotOfferedError, Source
from hardware.lan_http import Endpoint, ask
from hardware.ports import HardwareError

_LOGIN_WANTED = {"115", "204", "901"}


class SfrBox:
    """An SFR box (``BoxStatus`` port), read-only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def read(self) -> BoxReport:
        """See ``BoxStatus.read``."""
        try:
            return report(self._get("wan"), self._get("ftth"), self._get("system"))
        except ValueError as error:
            raise HardwareError(f"{self._endpoint}: {error}") from None

    def reboot(self) -> None:
        """See ``BoxStatus.reboot``; not used here: it needs a login, and there is the relay."""
        raise NotOfferedError(f"{self._endpoint}: an SFR box is only read")

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _get(self, part: str) -> Mapping[str, str]:
        """The attributes of one part; empty if the box has no such part."""
        reply = ask(self._endpoint, "GET", f"/api/1.0/?method={part}.getInfo")
        root = xml_of(self._endpoint, reply)
        if root.tag != "rsp":
            raise HardwareError(f"{self._endpoint}: XML of something else than an SFR box")
        if root.get("stat") != "ok":
            error = root.find("err")
            if error is not None and error.get("code") in _LOGIN_WANTED:
                raise HardwareError(f"{self._endpoint}: this box wants a login for {part}.getInfo")
            raise HardwareError(f"{self._endpoint}: {part}.getInfo is refused")
        found = root.find(part)
        return found.attrib if found is not None else {}


def report(wan: Mapping[str, str], fibre: Mapping[str, str], system: Mapping[str, str]) -> BoxReport:
    """Read the attributes of the three parts; the last two may be empty. Pure.

    Raises:
        ValueError: the first says nothing of the internet.
    """
    wan_up = choice(wan.get("status"), "up", "down")
    if wan_up is None:
        raise ValueError("the box says nothing of its internet")
    # A box on DSL reports its unused fibre port as down.
    used = "ftth" in (wan.get("infra"), system.get("net_infra")) or fibre.get("wanfibre") == "in"
    link = choice(fibre.get("status"), "up", "down")
    line_up = link if used or link else None
    uptime_s = duration_s(system.get("uptime"))
    cause = fibre_cause(
        light=None, registered=None, wan_up=wan_up and line_up is not False, uptime_s=uptime_s
    )
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=line_up,
        wan_up=wan_up,
        wan_address=address(wan.get("ip_addr")) or address(wan.get("ipv6_addr")),
        uptime_s=uptime_s,
        model=text(system.get("product_id")),
        firmware=text(system.get("version_mainfirmware")),
        cause=cause,
    )
