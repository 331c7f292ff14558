"""The front panel's LEDs: what each shows for a snapshot, and the wink that proves the agent alive.

Colour and rhythm both carry the meaning. An uplink's LED: steady green works, orange with a short wink
every 3 s slow or in doubt, red at 1 Hz down, red at 4 Hz its box is being restarted, dark unknown.
The LED ``site`` interrupts its colour briefly every 2 s: once when all is well (green), twice when
something is wrong but the site has internet (orange), three times when it has none (red); while nothing
is known it is dark and flashes orange instead. These winks are written one by one as decisions arrive,
never by a timer of the driver, so that a stuck agent cannot show a LED that looks alive.

At the agent's start every LED shows its three colours and goes dark, so that a dead one is found before it is
needed. The colours of this test flicker, because only an uplink that works may be steady green; and the test
ends at once where there is something to tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing, suppress

from agent.core.codes import Code, Severity
from agent.core.snapshot_types import Health, Phase, Snapshot, UplinkView
from agent.sinks.arrivals import STALE_S, or_silence
from hardware.ports import Colour, HardwareError, Lights, Pattern

SITE = "site"

UNKNOWN = Pattern(Colour.DARK)
WORKS = Pattern(Colour.GREEN)
DOUBTFUL = Pattern(Colour.ORANGE, on_s=2.8, off_s=0.2)
DOWN = Pattern(Colour.RED, on_s=0.5, off_s=0.5)
RESTARTING = Pattern(Colour.RED, on_s=0.125, off_s=0.125)

BY_HEALTH = {
    Health.UNKNOWN: UNKNOWN,
    Health.UP: WORKS,
    Health.DEGRADED: DOUBTFUL,
    # Too soon to tell people of an outage, too late to show them a plain green.
    Health.SUSPECT: DOUBTFUL,
    Health.DOWN: DOWN,
}

CUT_OFF = (Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN)
"""The site has no internet although an uplink works."""
LAMP_TEST = (Colour.GREEN, Colour.ORANGE, Colour.RED)
LAMP_TEST_S = 0.6
"""Seconds for each of them: two in all."""
FLICKER_S = 0.05
"""Half the period of the flicker, which is no rhythm of any state: two and a half times that of a restart."""
NOTHING_TO_TELL = (Code.WARMING_UP, Code.ALL_WELL)

WINK_EVERY_S = 2.0
WINK_SLACK_S = 0.5
"""Snapshots come about every second, not to the millisecond."""
WINK_S = 0.12
WINKS = {Colour.DARK: 1, Colour.GREEN: 1, Colour.ORANGE: 2, Colour.RED: 3}
"""The number of winks tells the colour to those who do not see it."""


def render(snapshot: Snapshot) -> dict[str, Pattern]:
    """What each uplink's LED and the site's shows. The site's own winks are not part of it."""
    cycling = {box.uplink for box in snapshot.boxes if box.phase is not Phase.POWERED}
    patterns = {
        uplink.name: RESTARTING if uplink.name in cycling else _of_uplink(uplink)
        for uplink in snapshot.uplinks
    }
    patterns[SITE] = Pattern(_site_colour(snapshot, cycling=bool(cycling)))
    return patterns


def _of_uplink(uplink: UplinkView) -> Pattern:
    # Red would be wrong for a line that answers again and is only not yet trusted; so would green.
    returning = uplink.health is Health.DOWN and uplink.answers_since is not None
    return BY_HEALTH[Health.DEGRADED if returning else uplink.health]


def _site_colour(snapshot: Snapshot, *, cycling: bool) -> Colour:
    healths = {uplink.health for uplink in snapshot.uplinks}
    if snapshot.headline is Code.WARMING_UP or healths <= {Health.UNKNOWN}:
        return Colour.DARK
    if not any(health.works for health in healths):
        return Colour.RED
    if any(finding.code in CUT_OFF for finding in snapshot.findings):
        return Colour.RED
    serious = any(finding.severity is not Severity.INFO for finding in snapshot.findings)
    unwell = any(_is_unwell(uplink) for uplink in snapshot.uplinks)
    return Colour.ORANGE if serious or unwell or cycling else Colour.GREEN


def _is_unwell(uplink: UplinkView) -> bool:
    # A doubt shows on the uplink's own LED; the site as a whole waits for the verdict.
    return uplink.health not in (Health.UP, Health.SUSPECT)


class LightsSink:
    """Writes what ``render`` says, and winks.

    Attributes:
        lights: the panel.
        stale_s: seconds without a snapshot after which everything goes dark.
        lamp_test: names of the LEDs that show each colour first.
        sleep: waits; the length of a wink, and of a colour of the lamp test.
    """

    def __init__(
        self,
        lights: Lights,
        *,
        stale_s: float = STALE_S,
        lamp_test: Collection[str] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lights = lights
        self._stale_s = stale_s
        self._lamp_test = lamp_test
        self._sleep = sleep
        self._winked_at = float("-inf")

    async def run(self, snapshots: AsyncIterator[Snapshot]) -> None:
        """Show snapshots until they end; all dark then, or when they stay away.

        Raises:
            HardwareError: a LED does not obey.
        """
        test = asyncio.ensure_future(self._try_lamps()) if self._lamp_test else None
        try:
            async with aclosing(or_silence(snapshots, self._stale_s)) as arrivals:
                async for snapshot in arrivals:
                    if snapshot is None:
                        self._lights.show({})
                    elif test is None or not await self._outlasts(test, snapshot):
                        test = None
                        await self._show(snapshot)
        finally:
            if test is not None:
                test.cancel()
                await asyncio.gather(test, return_exceptions=True)
            with suppress(HardwareError):  # what ended the sink matters more
                self._lights.show({})

    async def _try_lamps(self) -> None:
        for colour in LAMP_TEST:
            self._lights.show(dict.fromkeys(self._lamp_test, Pattern(colour, FLICKER_S, FLICKER_S)))
            await self._sleep(LAMP_TEST_S)
        self._lights.show({})

    async def _outlasts(self, test: asyncio.Future[None], snapshot: Snapshot) -> bool:
        """True while the lamp test goes on; it does not, where the snapshot has something to tell."""
        if test.done():
            await test  # a LED that did not obey
            return False
        if snapshot.headline in NOTHING_TO_TELL:
            return True
        test.cancel()
        await asyncio.gather(test, return_exceptions=True)
        return False

    async def _show(self, snapshot: Snapshot) -> None:
        patterns = render(snapshot)
        self._lights.show(patterns)
        if snapshot.mono - self._winked_at < WINK_EVERY_S - WINK_SLACK_S:
            return
        self._winked_at = snapshot.mono
        colour = patterns[SITE].colour
        wink = Pattern(Colour.ORANGE) if colour is Colour.DARK else Pattern(Colour.DARK)
        for _ in range(WINKS[colour]):
            self._lights.show({**patterns, SITE: wink})
            await self._sleep(WINK_S)
            self._lights.show(patterns)
            await self._sleep(WINK_S)
