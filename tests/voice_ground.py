"""Ground for tests of the devices of the virtual bay: one uplink with a device, and its real driver."""

from __future__ import annotations

from dataclasses import replace

from bay_ground import FAST

from hardware import bbox, starlink
from hardware.at import AtModem
from hardware.box_port import BoxStatus
from hardware.freebox import Freebox
from hardware.huawei import HuaweiModem
from hardware.lan_http import Endpoint, Tls
from hardware.livebox import Livebox
from hardware.ports import Modem
from hardware.sfr import SfrBox
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.speaks import SPOKEN_ON, at_device
from hardware.virtual.web_voice import SECRETS

ON = "line"
ANSWER_S = 1.0


def uplink(speaks: str, boot_s: float = 1.0) -> list[BayUplink]:
    return [BayUplink(ON, "wan0", SPOKEN_ON[speaks][0], speaks=speaks, boot_s=boot_s, quality=FAST)]


def driver(bay: Bay, speaks: str, answer_s: float = ANSWER_S) -> Modem | BoxStatus:
    """As the agent would have it."""
    plan = bay.plans[ON]
    ends = Endpoint(plan.box, device="wan0", timeout_s=answer_s)
    match speaks:
        case "hilink":
            return HuaweiModem(f"http://{plan.box}/", interface="wan0", request_s=answer_s)
        case "at":
            return AtModem(str(at_device(bay.folder, ON)), answer_s=answer_s, quiet_s=0.02)
        case "livebox":
            return Livebox(ends, SECRETS["livebox"])
        case "freebox":
            return Freebox(ends, SECRETS["freebox"])
        case "sfr":
            return SfrBox(ends)
        case "bbox":
            tls = Tls("mabbox.bytel.fr", bay.authority)
            return bbox.Bbox(replace(ends, port=443, tls=tls), SECRETS["bbox"])
        case _:
            return starlink.Starlink(replace(starlink.DISH, device="wan0", timeout_s=answer_s))
