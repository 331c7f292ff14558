"""What came of one question beyond echoes, before it is told as a ``Check``."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.inquiries import Said


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one question.

    Attributes:
        said: what came of it.
        took_ms: from the question to the judgement; None without an answer.
        by: who answered or refused; None if nobody did.
        detail: what was said, or why nothing was; printable, one line, bounded.
    """

    said: Said
    took_ms: float | None = None
    by: str | None = None
    detail: str = ""
