"""What the connection to the broker is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker, and who asks to be let in.

    ``ca_file`` None means the system's certificates; ``password`` is the secret itself, as read from its
    file, and is never shown. ``keeps`` asks the broker to remember this client's subscriptions, and what it
    could not deliver, while it is away.
    """

    host: str
    port: int
    client_id: str
    tls: bool = True
    ca_file: Path | str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 30
    keeps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings(Broker):
    """The broker and this site's place in it."""

    site: str
    root: str = "vigie"
