"""The keys of a service, in the manner of ``schema``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.config.schema_mqtt import File


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[service]]``: something the business needs of the internet, asked for by its own protocol."""

    name: Annotated[str, Meta(extra={"form": "slug"})]
    """Name in MQTT topics; not that of another service, uplink, box or modem. Required."""

    label: Annotated[str, Meta(extra={"form": "label", "derived": True})]
    """What people call it, like ``"Téléphone"``; 1 to 40 characters. Default: ``name``."""

    kind: Literal["tcp", "tls", "https", "dns", "sip"]
    """How it is asked: ``tcp`` a connection, ``tls`` a connection and its certificate, ``https`` a page,
    ``dns`` a name, ``sip`` a telephone server's OPTIONS, without an account. Required."""

    host: Annotated[str, Meta(extra={"form": "service_host"})]
    """Name or IPv4 address of its server, without scheme and port. Required."""

    port: Annotated[int, Meta(ge=1, le=65535, extra={"derived": True})]
    """1 to 65535. Default: 443 for ``tls`` and ``https``, 53 for ``dns``, 5060 for ``sip``; required for
    ``tcp``."""

    transport: Literal["udp", "tcp"] = "udp"
    """What carries ``sip``."""

    path: Annotated[str, Meta(extra={"form": "web_path"})] = "/"
    """Path of the page of ``https``; begins with ``/``."""

    status: Annotated[int, Meta(ge=100, le=599)] | None = None
    """Status that ``https`` must answer, 100 to 599. Default: anything below 500, asked for without the page
    itself."""

    question: Annotated[str, Meta(extra={"form": "service_host"})] | None = None
    """Name that ``dns`` must know; required there."""

    ca_file: File | None = None
    """Certificates that may sign that of ``tls`` or ``https``, absolute path. Default: the system's."""

    every_s: Annotated[float, Meta(ge=10.0, le=3600.0)] = 60.0
    """Seconds between two questions on the path in use, 10 to 3600; through each other uplink five times as
    long."""

    every_metered_s: Annotated[float, Meta(ge=300.0, le=86400.0)] = 21600.0
    """The same through an uplink with ``data_mb``, 300 to 86400."""
