"""What an antenna being aimed is told in words: figures, the change since the start, why there is nothing."""

from __future__ import annotations

from agent.cli.aim import Aim, Place, power_of
from agent.cli.labels import label
from agent.cli.words import say
from agent.core.devices import Radio, Says, Sim
from agent.core.radio import strength
from agent.text import strength as strength_word

SYMBOLS = {"rsrp_dbm": "RSRP", "rssi_dbm": "RSSI", "sinr_db": "SINR", "rsrq_db": "RSRQ"}


def figures_text(radio: Radio) -> str:
    """Power and cleanness in short: ``RSRP -97 dBm, SINR 9 dB``."""
    return ", ".join(
        figure_text(name, getattr(radio, name))
        for name in (power_of(radio), "sinr_db")
        if name is not None and getattr(radio, name) is not None
    )


def figure_text(name: str, value: float) -> str:
    """``RSRP -97 dBm``."""
    return f"{SYMBOLS[name]} {value:.0f} {'dBm' if name.endswith('_dbm') else 'dB'}"


def change_text(aim: Aim, language: str) -> str | None:
    """Now beside the start, in words; None while that is not known."""
    change = aim.change
    if change is None:
        return None
    by = [f"{SYMBOLS[name]} {_signed(value)} dB" for name, value in change.by_db.items()]
    told = say(f"signal_{change.verdict}", language)
    return told + (label("colon", language) + ", ".join(by) if by else "")


def mute(says: Says, language: str) -> list[str]:
    """Why there is no figure, and what to do."""
    if not says.heard:
        why = [says.why] if says.why else []
        return [say("signal_silent", language), *why, say("signal_silent_advice", language)]
    if says.locked:
        return [say("signal_locked", language), say("signal_locked_advice", language)]
    if says.sim not in (None, Sim.READY):
        return [say("signal_no_figures", language), say(f"signal_sim_{says.sim}", language)]
    return [say("signal_no_figures", language), say("signal_no_figures_advice", language)]


def place_parts(place: Place, language: str) -> tuple[str, str, str]:
    """One place: its name, its word, its middle figures; to be written one behind the other."""
    word = strength(place.middle)
    name = f"{place.name}{label('colon', language)}"
    if word is None:
        return name, say("signal_no_reading", language), ""
    return name, strength_word(word, language), f", {figures_text(place.middle)}"


def _signed(value: float) -> str:
    shown = f"{value:+.0f}"
    return "0" if shown in ("+0", "-0") else shown
