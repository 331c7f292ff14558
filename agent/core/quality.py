"""How well an uplink carries what people do on it: calls, pages, downloads.

Three measures, each turned into the share of a second that is lost to people, from 0 (all well) to 1 (as
good as silent): the voice quality of a call, the loss as a download feels it, the latency beside the line's
own. The worst of the three is the ``Strain``. Strain adds up over time as waiting does in a silence, and
``degraded`` is declared when as much has been lost as a switch would cost: at once when half the packets are
gone, after minutes when it is merely annoying, never for a passing moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, median

from agent.core.state import Quality, TargetPulse, UplinkState
from agent.core.window import bad_targets

FEWEST_ECHOES = 30
"""Fewer say little: of 30 echoes, one lost is 3 %."""

CODEC_MS = 20.0
"""One packet of speech: nothing can be sent before it has been spoken."""
PLAYOUT = 2.0
"""A receiver waits about twice the jitter for late packets."""
R_BEST = 93.2
"""Rating factor of a narrow-band call without impairment (ITU-T G.107, all defaults)."""
LOSS_ROBUSTNESS = 25.1
"""Bpl of G.711 with packet loss concealment (ITU-T G.113, appendix I); its Ie is 0."""

MOS_ENOUGH = 3.6
MOS_GOOD = 3.8
"""MOS 3.6 is R 70, below which many users are dissatisfied (ITU-T G.107, annex B). To be well again takes
more than to be not bad: the gap keeps the verdict from flapping."""
LOSS_BAD = 0.04
LOSS_SMALL = 0.02
CERTAIN = 1.64
"""Loss counts if it is above the limit with a certainty of 95 %: one-sided, normal approximation."""
LOSS_RUINOUS = 0.20
"""TCP's rate falls with the root of the loss (Mathis et al., 1997) until its timeouts take over; at a fifth
lost hardly anything moves."""
LATENCY_FACTOR = 2.5
LATENCY_ADDED_MS = 80.0
LATENCY_GOOD = 0.8
"""Latency is bad at 2.5 times the usual and 80 ms above it: what a filled buffer of the box adds, and more
than a line does by itself in the course of a day."""
LATENCY_SHARE = 0.25
"""At that limit a quarter of the time is lost to people who click and wait."""

PATIENCE = 2.0
"""Strain is not kept beyond twice a switch: the end of a long bad stretch is believed within as long."""


@dataclass(frozen=True, slots=True)
class Strain:
    """What of each second is lost to people, 0 to 1, and to what, in words and numbers."""

    share: float
    why: str


def mos(rtt_ms: float, jitter_ms: float, loss: float) -> float:
    """Mean opinion score of a G.711 call over this line, ITU-T G.107 reduced to what a network adds.

    The E-model's rating is R = 93.2 - Id - Ie_eff. Delay impairment Id = 0.024 d + 0.11 (d - 177.3) for d
    above 177.3 ms one way (the fit of Cole and Rosenbluth, "Voice over IP performance monitoring", 2001, to
    G.107's curve); d is half the round trip, the receiver's wait for late packets and one packet. Loss
    impairment Ie_eff = 95 P / (P + Bpl), P in percent, losses taken as independent (G.107 clause 7.5 with
    BurstR 1 and Ie 0). MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6 (G.107 annex B).

    Args:
        rtt_ms: round trip, milliseconds.
        jitter_ms: mean difference between neighbouring round trips, milliseconds.
        loss: share of packets lost, 0 to 1.
    """
    one_way_ms = rtt_ms / 2.0 + PLAYOUT * jitter_ms + CODEC_MS
    delay = 0.024 * one_way_ms + 0.11 * max(0.0, one_way_ms - 177.3)
    lost_pct = 100.0 * min(1.0, max(0.0, loss))
    rating = R_BEST - delay - 95.0 * lost_pct / (lost_pct + LOSS_ROBUSTNESS)
    if rating <= 0.0:
        return 1.0
    return max(1.0, 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6)


def measured(uplink: UplinkState) -> Quality | None:
    """What the echoes in the window say; None while they are too few or none was answered."""
    bad = bad_targets(uplink)
    pulses = [pulse for name, pulse in uplink.targets.items() if name not in bad]
    echoes = sum(len(pulse.window) for pulse in pulses)
    answers = [rtt for pulse in pulses for rtt in pulse.window if rtt is not None]
    if echoes < FEWEST_ECHOES or not answers:
        return None
    loss = 1.0 - len(answers) / echoes
    rtt_ms, jitter_ms = median(answers), _jitter_ms(pulses)
    return Quality(loss, rtt_ms, jitter_ms, mos(rtt_ms, jitter_ms, loss), echoes)


def told(uplink: UplinkState) -> dict[str, float | None]:
    """What is bad, rounded for people, as events and findings carry it; None for what is not bad."""
    quality = uplink.quality
    if quality is None:
        return {"loss_pct": None, "rtt_ms": None, "mos": None}
    slow = quality.rtt_ms > slow_ms(uplink.line.usual_ms) * LATENCY_GOOD
    return {
        "loss_pct": round(quality.loss * 100) if quality.loss > LOSS_SMALL else None,
        "rtt_ms": round(quality.rtt_ms) if slow else None,
        "mos": round(quality.mos, 1) if quality.mos < MOS_GOOD else None,
    }


def _jitter_ms(pulses: Iterable[TargetPulse]) -> float:
    """Mean difference of neighbouring answers, target by target: their distances are not jitter."""
    steps = [
        abs(later - earlier)
        for pulse in pulses
        for earlier, later in pairwise(rtt for rtt in pulse.window if rtt is not None)
    ]
    return fmean(steps) if steps else 0.0


def slow_ms(usual_ms: float | None) -> float:
    """From which round trip on this line is slow, milliseconds; infinite while its usual one is unknown."""
    if usual_ms is None:
        return float("inf")
    return max(LATENCY_FACTOR * usual_ms, usual_ms + LATENCY_ADDED_MS)


def strain(quality: Quality, usual_ms: float | None, *, degraded: bool) -> Strain:
    """What the worst of the three measures costs people.

    Args:
        quality: what was measured.
        usual_ms: the line's own latency, milliseconds.
        degraded: the verdict so far; getting well takes better values than not getting ill.
    """
    mos_limit = MOS_GOOD if degraded else MOS_ENOUGH
    loss_limit = LOSS_SMALL if degraded else LOSS_BAD
    slow_limit_ms = slow_ms(usual_ms) * (LATENCY_GOOD if degraded else 1.0)
    voice = (mos_limit - quality.mos) / (mos_limit - 1.0)
    doubt = 0.0 if degraded else CERTAIN * sqrt(quality.loss * (1.0 - quality.loss) / quality.echoes)
    download = quality.loss / LOSS_RUINOUS if quality.loss - doubt > loss_limit else 0.0
    waiting = LATENCY_SHARE * quality.rtt_ms / slow_limit_ms if quality.rtt_ms > slow_limit_ms else 0.0
    share, why = max(
        (download, f"{quality.loss * 100:.0f} % of {quality.echoes} echoes lost"),
        (waiting, f"answers in {quality.rtt_ms:.0f} ms, usually in {usual_ms or 0.0:.0f} ms"),
        (voice, f"a call would be of quality {quality.mos:.1f} of 4.4 (jitter {quality.jitter_ms:.0f} ms)"),
    )
    return Strain(min(1.0, max(0.0, share)), why)


def account(strained_s: float, share: float, passed_s: float, switch_cost_s: float) -> float:
    """Strain so far after ``passed_s`` more seconds: it grows by its share, and relief is as fast as time."""
    change = share * passed_s if share > 0.0 else -passed_s
    return min(PATIENCE * switch_cost_s, max(0.0, strained_s + change))
