"""Which uplink the site uses, which one it should use and what that waits for, in words."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.model import Scalar
from agent.core.snapshot_types import Snapshot
from agent.core.steering import Choice
from agent.text import steer, wait


def choice_text(choice: Choice, labels: Mapping[str, str], now_at: float, language: str) -> str:
    """The choice in one line: why, and what is waited for until when.

    Args:
        choice: what is decided.
        labels: uplinks by name, as people call them.
        now_at: the present, monotonic seconds as in ``choice``.
        language: one of ``LANGUAGES``.
    """
    moves = choice.wanted is not None and choice.wanted != choice.active
    args: dict[str, Scalar] = {
        **choice.args,
        "active": labels.get(choice.active or "", choice.active),
        "wanted": labels.get(choice.wanted or "", choice.wanted),
        "next": labels.get(choice.next or "", choice.next),
        "target": labels.get(choice.wanted or "", choice.wanted) if moves else None,
        "for_s": None if choice.until is None else max(0.0, choice.until - now_at),
    }
    said = steer(choice.why, language, args)
    if choice.waits_for is None:
        return said
    return f"{said[:-1]} ({wait(choice.waits_for, language, args)})."


def of_snapshot(shot: Snapshot, language: str) -> str | None:
    """The choice that the snapshot shows; None if it shows none."""
    path = shot.site_path
    if path is None or path.choice is None:
        return None
    labels = {uplink.name: uplink.label for uplink in shot.uplinks}
    return choice_text(path.choice, labels, shot.mono, language)
