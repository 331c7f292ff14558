"""The time zone of this machine by its name, so that summer time of other months is known too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")


class ZoneError(ValueError):
    """No such zone."""


def zone_named(name: str) -> tzinfo:
    """The zone of this name.

    Raises:
        ZoneError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ZoneError(name) from error


def site_zone(environment: Mapping[str, str] | None = None, link: Path = LOCALTIME) -> tzinfo:
    """The zone that this machine's clock shows: ``TZ``, else what ``/etc/localtime`` is, else UTC."""
    given = (os.environ if environment is None else environment).get("TZ", "").removeprefix(":")
    names = [given] if given else []
    target = os.path.realpath(link)
    if "zoneinfo/" in target:
        names.append(target.rpartition("zoneinfo/")[2].removeprefix("posix/"))
    for name in names:
        try:
            return zone_named(name)
        except ZoneError:
            continue
    try:
        with link.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError):
        return UTC
