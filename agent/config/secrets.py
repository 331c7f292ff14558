"""Secrets that a configuration leads to: in a file of their own, or handed over by systemd."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MAX_BYTES = 65535  # what MQTT can carry


def read_secret(place: str, environ: Mapping[str, str] | None = None) -> str:
    """The secret at an absolute path, or in the systemd credential of that name.

    One newline at the end is not part of it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is empty, too long, or not UTF-8 text; the message does not quote it.
    """
    path = Path(place)
    if not path.is_absolute():
        folder = (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise FileNotFoundError(f"systemd handed over no credential {place} (LoadCredential=)")
        path = Path(folder) / place
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 2)
    try:
        secret = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not secret or len(secret.encode()) > MAX_BYTES:
        raise ValueError(f"{path} must hold the password, 1 to {MAX_BYTES} bytes")
    return secret
