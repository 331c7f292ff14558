"""What the connection to the broker is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The broker and this site's place in it.

    ``ca_file`` None means the system's certificates; ``password`` is the secret itself, as read from its
    file, and is never shown.
    """

    host: str
    port: int
    client_id: str
    site: str
    root: str = "vigie"
    tls: bool = True
    ca_file: Path | str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 30
