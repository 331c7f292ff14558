"""Where a secret is, and how it is read: from a file, or as a credential that systemd hands over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent.config.schema_mqtt import MqttBroker

MAX_SECRET_BYTES = 65535  # what MQTT can carry; far more than any device takes
MQTT_CREDENTIAL = "mqtt-password"
SECOND_CREDENTIAL = "mqtt2-password"
FOLDER_CREDENTIAL = "vigie"
"""Name under which the service loads a whole folder; systemd joins it and a file's name with ``_``
(systemd.exec(5), LoadCredential=, since version 250)."""


def is_credential(place: str) -> bool:
    """True if ``place`` names a credential, False if it is a path."""
    return not place.startswith("/")


def read_secret(place: str, environ: Mapping[str, str] | None = None) -> str:
    """Read the secret at ``place``. One newline at its end is not part of it.

    Args:
        place: absolute path of a file, or the name of a systemd credential.
        environ: the process's environment; ``CREDENTIALS_DIRECTORY`` is where systemd puts credentials.

    Raises:
        FileNotFoundError: there is no such file or credential.
        OSError: it cannot be read.
        ValueError: it is empty, too long, or not UTF-8 text; the message does not quote it.
    """
    path = secret_path(place, environ)
    with path.open("rb") as file:
        data = file.read(MAX_SECRET_BYTES + 3)  # and a newline, and what must not follow it
    try:
        secret = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not secret or len(secret.encode()) > MAX_SECRET_BYTES:
        raise ValueError(f"{path} must hold the secret alone, 1 to {MAX_SECRET_BYTES} bytes")
    return secret


def secret_path(place: str, environ: Mapping[str, str] | None = None) -> Path:
    """The file that ``place`` names.

    Raises:
        FileNotFoundError: systemd handed over no such credential.
    """
    if not is_credential(place):
        return Path(place)
    return _credential(place, os.environ if environ is None else environ)


def _credential(name: str, environ: Mapping[str, str]) -> Path:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder is not None:
        for known in (name, f"{FOLDER_CREDENTIAL}_{name}"):
            if (path := Path(folder) / known).exists():
                return path
    raise FileNotFoundError(f"systemd handed over no credential {name} (LoadCredential=)")


def mqtt_password(
    mqtt: MqttBroker, environ: Mapping[str, str] | None = None, credential: str = MQTT_CREDENTIAL
) -> str | None:
    """The broker's password: what ``password_file`` names, else systemd's ``credential``, else None.

    Raises:
        OSError: what was named cannot be read.
        ValueError: as ``read_secret``.
    """
    if mqtt.username is None:
        return None
    if mqtt.password_file is not None:
        return read_secret(mqtt.password_file, environ)
    try:
        return read_secret(credential, environ)
    except FileNotFoundError:
        return None
