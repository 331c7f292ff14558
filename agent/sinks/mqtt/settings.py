"""What the connection to the broker is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agent.sinks.mqtt.way import Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker, and who asks to be let in.

    ``ca_file`` None means the system's certificates; ``cert_file`` is this client's own, with its private key
    in ``key_file``, or behind it in the same file. ``password`` is the secret itself, as read from its file,
    and is never shown. ``keeps`` asks the broker to remember this client's subscriptions, and what it
    could not deliver, while it is away.
    """

    host: str
    port: int
    client_id: str
    tls: bool = True
    ca_file: Path | str | None = None
    cert_file: Path | str | None = None
    key_file: Path | str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 30
    keeps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings(Broker):
    """The broker and this site's place in it.

    ``part`` names this connection in what is told of it. ``exits`` are the uplinks that it may be bound to;
    without any, and where ``via`` is ``system``, it leaves as the system routes. ``via`` is ``auto``,
    ``system``, or the one uplink that it must leave by. ``commands`` lets people ask through this broker.
    """

    site: str
    root: str = "vigie"
    part: str = "mqtt"
    via: str = "auto"
    exits: tuple[Exit, ...] = ()
    commands: bool = False
