"""Who types."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping


def login_name(environment: Mapping[str, str] | None = None) -> str:
    """The name of the person at the terminal, behind ``sudo`` too; the user's number if it has no name."""
    given = os.environ if environment is None else environment
    behind = given.get("SUDO_USER")
    if behind:
        return behind
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
