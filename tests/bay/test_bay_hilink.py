"""The cellular box's web server, asked from the site as any client would."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from bay_ground import TARGET, eventually, eventually_answers, play

from hardware.ports import Sim
from hardware.virtual.bay import Bay
from hardware.virtual.hilink_pages import HiLinkSignal, bars

pytestmark = pytest.mark.bay


@dataclass
class Client:
    """A browser at the site. ``cookie`` and ``token`` are of its session."""

    bay: Bay
    cookie: str = ""
    token: str = ""

    async def ask(self, method: str, path: str, body: str = "", timeout_s: float = 2.0) -> str:
        """The answer's body; empty if the server hung up.

        Raises:
            TimeoutError, OSError: no answer.
        """
        caller = self.bay.site.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        )
        with caller:
            async with asyncio.timeout(timeout_s):
                await asyncio.get_running_loop().sock_connect(caller, (self.bay.plans["cell"].box, 80))
                reader, writer = await asyncio.open_connection(sock=caller)
                lines = [f"{method} {path} HTTP/1.1", "Host: modem", f"Cookie: SessionID={self.cookie}"]
                lines += [f"__RequestVerificationToken: {self.token}", f"Content-Length: {len(body)}"]
                writer.write("\r\n".join([*lines, "Connection: close", "", body]).encode())
                answer = (await reader.read()).decode()
                writer.close()
                await writer.wait_closed()
        head, _, text = answer.partition("\r\n\r\n")
        if fresh := re.search(r"__RequestVerificationToken: (\w+)", head):
            self.token = fresh[1]
        return text

    async def open(self) -> None:
        page = await self.ask("GET", "/api/webserver/SesTokInfo")
        self.cookie, self.token = value(page, "SesInfo").removeprefix("SessionID="), value(page, "TokInfo")


def value(page: str, name: str) -> str:
    match = re.search(f"<{name}>(.*?)</{name}>", page)
    assert match, f"no {name} in {page}"
    return match[1]


REBOOT = '<?xml version="1.0" encoding="UTF-8"?><request><Control>1</Control></request>'


def test_pages_have_a_modems_elements(tmp_path: Path) -> None:
    """Signal with units, status, traffic, model and operator, in the form of the real ones."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        await client.open()
        signal = await client.ask("GET", "/api/device/signal")
        assert re.fullmatch(r"-\d+dBm", value(signal, "rsrp"))
        assert re.fullmatch(r"-[\d.]+dB", value(signal, "rsrq"))
        status = await client.ask("GET", "/api/monitoring/status")
        assert (value(status, "ConnectionStatus"), value(status, "CurrentNetworkType")) == ("901", "19")
        assert value(await client.ask("GET", "/api/device/information"), "Classify") == "hilink"
        operator = await client.ask("GET", "/api/net/current-plmn")
        assert value(operator, "FullName") == "op-cell"
        traffic = await client.ask("GET", "/api/monitoring/traffic-statistics")
        for _ in range(3):
            assert await bay.ping(TARGET, on="cell") is not None
        later = await client.ask("GET", "/api/monitoring/traffic-statistics")
        counts = [int(value(page, "CurrentDownload")) for page in (traffic, later)]
        assert counts[1] - counts[0] == 3 * 90

    play(tmp_path, story)


def test_signal_can_be_set(tmp_path: Path) -> None:
    """The pages follow the radio; a modem that does not know leaves elements empty."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        await client.open()
        bay.voices["cell"].signal = HiLinkSignal(rsrp_dbm=-118, sinr_db=-3, band=28)
        page = await client.ask("GET", "/api/device/signal")
        assert [value(page, name) for name in ("rsrp", "sinr", "band")] == ["-118dBm", "-3dB", "28"]
        bay.voices["cell"].signal = HiLinkSignal(None, None, None, None, None, sim=Sim.MISSING)
        assert value(await client.ask("GET", "/api/device/signal"), "rsrp") == ""
        status = await client.ask("GET", "/api/monitoring/status")
        assert (value(status, "ConnectionStatus"), value(status, "SimStatus")) == ("902", "255")

    play(tmp_path, story)


def test_cut_line_is_reported(tmp_path: Path) -> None:
    """A modem whose radio link is dead says that it is not connected."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        await client.open()
        await bay.do("line_cut", on="cell")
        assert value(await client.ask("GET", "/api/monitoring/status"), "ConnectionStatus") == "902"

    play(tmp_path, story)


def test_errors_are_the_modems(tmp_path: Path) -> None:
    """No session, a used token, an unknown page and an unknown order each have their code."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        assert value(await client.ask("GET", "/api/device/signal"), "code") == "125002"
        assert value(await client.ask("POST", "/api/device/control", REBOOT), "code") == "125002"
        await client.open()
        assert value(await client.ask("GET", "/api/does/not/exist"), "code") == "100002"
        assert value(await client.ask("GET", "/nowhere"), "code") == "100002"
        used = client.token
        other = REBOOT.replace("1</Control>", "4</Control>")
        assert value(await client.ask("POST", "/api/device/control", other), "code") == "100002"
        client.token = used
        assert value(await client.ask("POST", "/api/device/control", REBOOT), "code") == "125003"
        assert "<html>" in await client.ask("GET", "/")
        assert await client.ask("DELETE", "/api/device/signal") == ""
        assert bay.facts()["cell"]["reboots"] == 0

    play(tmp_path, story)


def test_reboot_order_reboots(tmp_path: Path) -> None:
    """The modem accepts, loses its carrier, comes back, and has forgotten every session."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        await client.open()
        assert "<response>OK</response>" in await client.ask("POST", "/api/device/control", REBOOT)
        await eventually(lambda: bay.facts()["cell"]["reboots"] == 1)
        assert bay.facts()["cell"]["cuts"] == 0
        assert not bay.facts()["cell"]["carrier"]
        await eventually_answers(bay, "cell")
        assert value(await client.ask("GET", "/api/device/signal"), "code") == "125002"
        await client.open()
        assert int(value(await client.ask("GET", "/api/device/information"), "uptime")) < 10

    play(tmp_path, story)


def test_modem_answers_while_only_forwarding_hangs(tmp_path: Path) -> None:
    """A half-hung box still shows its pages."""

    async def story(bay: Bay) -> None:
        client = Client(bay)
        await bay.do("hang", on="cell", mode="forwarding")
        await client.open()
        assert client.token

    play(tmp_path, story)


@pytest.mark.parametrize("death", ["lan", "frozen", "cut"])
def test_dead_modem_is_silent(tmp_path: Path, death: str) -> None:
    """Hung or without power it does not even refuse."""

    async def story(bay: Bay) -> None:
        if death == "cut":
            bay.boxes["cell"].switch_relay(cut=True)
        else:
            await bay.do("hang", on="cell", mode=death)
        with pytest.raises(TimeoutError):
            await Client(bay).ask("GET", "/", timeout_s=0.4)

    play(tmp_path, story)


def test_bars_follow_the_signal() -> None:
    """From none to five."""
    strengths = (None, -130, -115, -110, -100, -95, -80)
    assert [bars(HiLinkSignal(rsrp_dbm=rsrp)) for rsrp in strengths] == [0, 0, 1, 2, 3, 4, 5]
