"""The keys of the connection to the broker, in the manner of ``schema``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

File = Annotated[str, Meta(extra={"form": "file"})]
SecretFile = Annotated[str, Meta(extra={"form": "secret_file"})]
KeyFile = Annotated[str, Meta(extra={"form": "key_file"})]
Text = Annotated[str, Meta(extra={"form": "text"})]

VIA_ANY, VIA_SYSTEM = "auto", "system"

ROOT = "vigie"


class MqttBroker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[mqtt.second]``, and what ``[mqtt]`` has in common with it: one broker."""

    host: Annotated[str, Meta(extra={"form": "host"})]
    """Name or address of the broker, without scheme and port. Required."""

    port: Annotated[int, Meta(ge=1, le=65535, extra={"derived": True})]
    """TCP port, 1 to 65535. Default: 8883, without ``tls`` 1883."""

    tls: bool = True
    """Encrypted, and the broker's certificate verified."""

    ca_file: File | None = None
    """Certificates that may sign the broker's, PEM, absolute path. Default: those of the system."""

    cert_file: File | None = None
    """This site's own certificate, PEM, absolute path, for brokers that want one. Default: none is shown."""

    key_file: KeyFile | None = None
    """Its private key, PEM, not encrypted: absolute path, or the name of a systemd credential. Default: it
    stands in ``cert_file``."""

    username: Text | None = None
    """Name at the broker; 1 to 128 characters. Default: anonymous."""

    password_file: SecretFile | None = None
    """Absolute path of a file that holds the password, or the name of a systemd credential. Default: the
    credential ``mqtt-password`` (the second broker's: ``mqtt2-password``) if systemd hands it over, else no
    password."""

    client_id: Annotated[str, Meta(extra={"form": "text", "derived": True})]
    """Name of the connection, unique at the broker; 1 to 128 characters. Default: ``vigie-<site>``."""

    keepalive_s: Annotated[int, Meta(ge=5, le=600)] = 30
    """Seconds of silence after which the broker calls the site offline (at 1.5 times), 5 to 600; at least 180
    on an uplink with a data budget."""

    via: Annotated[str, Meta(extra={"form": "uplink"})] = VIA_ANY
    """How the connection leaves: ``auto``, by an uplink that works, a broker on the LAN as the system routes;
    ``system``, always as the system routes; or the name of the only uplink that it may take."""


class Mqtt(MqttBroker, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[mqtt]``: the broker. Without this section nothing is sent."""

    root: Annotated[str, Meta(extra={"form": "topic"})] = ROOT
    """First part of every topic; the site's name follows."""

    commands: bool = False
    """People with rights at the broker may restart boxes and hold automatic power; same rules as for all."""

    home_assistant: Annotated[str, Meta(extra={"form": "topic"})] | None = None
    """First part of Home Assistant's discovery topics, by its default ``homeassistant``. Default: none, and
    nothing is announced."""

    second: MqttBroker | None = None
    """Another broker, which is told the same, on its own. Default: there is none."""
