"""Which service is asked where and for what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.core.service_words import ServiceKind


class Transport(StrEnum):
    """What carries a telephone server's messages."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """How to ask one service.

    Attributes:
        name: what the core calls it.
        kind: what it speaks.
        host: name or IPv4 address.
        port: 1 to 65535.
        transport: of ``sip``.
        path: of ``https``, begins with ``/``.
        status: what ``https`` must answer; None: anything that is no error of the server, below 500.
        question: the name that ``dns`` must know.
        ca_file: certificates that may sign its own; None: those of the system.
    """

    name: str
    kind: ServiceKind
    host: str
    port: int
    transport: Transport = Transport.UDP
    path: str = "/"
    status: int | None = None
    question: str = ""
    ca_file: Path | None = None
