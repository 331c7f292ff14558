"""The options of ``vigie fleet``, understood or refused."""

from __future__ import annotations

import argparse
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.cli.durations import parse
from agent.cli.labels import LANGUAGES, language_of
from agent.config.forms import SLUG
from agent.config.secrets import read_secret
from agent.sinks.mqtt.settings import Broker

PORTS = {"mqtt": 1883, "mqtts": 8883}
WAIT_S = 10.0
LONGEST_EXPECTED_BYTES = 1 << 20


class UsageError(ValueError):
    """An option makes no sense; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for.

    Attributes:
        broker: where, and as whom.
        address: the broker's name for people; never with a password.
        roots: what stands before the sites.
        pattern: which sites.
        expected: sites that must be there.
        patience_s: how long a site may be away.
        wait_s: how long ``--once`` may take.
        once: judge once, and end.
        as_json: data instead of a table.
        language: of everything that is said.
    """

    broker: Broker
    address: str
    roots: tuple[str, ...]
    pattern: str
    expected: tuple[str, ...]
    patience_s: float
    wait_s: float
    once: bool
    as_json: bool
    language: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie fleet``."""
    parser.epilog = (
        "Live: ends with Ctrl-C; exit code 2 if the broker cannot be reached at the start. "
        "With --once, as Nagios and Centreon want it: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
    )
    parser.add_argument(
        "--broker", required=True, metavar="URL", help="mqtts://user@host:8883 or mqtt://host:1883"
    )
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="the user's password, alone")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="default: the system's authorities")
    parser.add_argument("--client-id", metavar="ID", help="default: a new one each time")
    parser.add_argument(
        "--root", action="append", metavar="ROOT", help="default: vigie; several allowed, + for any level"
    )
    parser.add_argument("--site", default="*", metavar="GLOB", help="only sites with such a name")
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="LIST",
        help="sites that must be there: a file with one name a line, or a,b,c",
    )
    parser.add_argument(
        "--silent-after",
        default="3min",
        metavar="TIME",
        help="how long a site may be away; default: %(default)s",
    )
    parser.add_argument("--once", action="store_true", help="judge once: a status line, then each trouble")
    parser.add_argument(
        "--wait",
        type=float,
        default=WAIT_S,
        metavar="SECONDS",
        help="how long --once may take; default: %(default)g",
    )
    parser.add_argument("--json", action="store_true", help="one document, or a line for each change")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def understood(args: argparse.Namespace) -> Options:
    """The options, checked.

    Raises:
        UsageError: one of them makes no sense, or a file cannot be read.
    """
    broker, address = _broker(args)
    if not (math.isfinite(args.wait) and 0 < args.wait <= 600):
        raise UsageError("--wait: allowed: seconds above 0, at most 600")
    return Options(
        broker=broker,
        address=address,
        roots=_roots(args.root or ["vigie"]),
        pattern=args.site,
        expected=_expected(args.expect),
        patience_s=_patience_s(args.silent_after),
        wait_s=args.wait,
        once=args.once,
        as_json=args.json,
        language=args.lang,
    )


def _broker(args: argparse.Namespace) -> tuple[Broker, str]:
    try:
        url = urlsplit(args.broker)
        port = url.port
    except ValueError as error:
        raise UsageError(f"--broker: {error}") from None
    if url.password is not None:
        # Not quoted: it is in the shell's history and the process list already, and need not be in a log.
        raise UsageError("--broker: no password there, where everybody can read it; use --password-file")
    if url.scheme not in PORTS or not url.hostname or url.path not in ("", "/") or url.query or url.fragment:
        raise UsageError(f"--broker: {args.broker!r}; allowed: mqtts://user@host:8883, mqtt://host:1883")
    if args.ca_file is not None and url.scheme != "mqtts":
        raise UsageError("--ca-file: only with mqtts://")
    username = None if url.username is None else unquote(url.username)
    if args.password_file is not None and not username:
        raise UsageError("--password-file: only with a user: mqtts://user@host")
    client_id = args.client_id or f"vigie-fleet-{secrets.token_hex(4)}"
    port = PORTS[url.scheme] if port is None else port
    broker = Broker(
        host=url.hostname,
        port=port,
        client_id=client_id,
        tls=url.scheme == "mqtts",
        ca_file=args.ca_file,
        username=username or None,
        password=_password(args.password_file),
        keeps=False,
    )
    return broker, f"{url.hostname}:{port}"


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_secret(str(path.absolute()))
    except OSError as error:
        raise UsageError(f"--password-file: {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"--password-file: {error}") from None


def _roots(given: Sequence[str]) -> tuple[str, ...]:
    for root in given:
        levels = root.strip("/").split("/")
        wrong = [one for one in levels if not one or (one != "+" and set(one) & set("+#")) or "\0" in one]
        if wrong:
            raise UsageError(f"--root: {root!r}; allowed: levels like vigie or north/vigie, + for any one")
    return tuple(dict.fromkeys(root.strip("/") for root in given))


def _expected(given: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for one in given:
        found += _listed(Path(one)) if _is_file(one) else one.split(",")
    names = [name.strip() for name in found if name.strip()]
    for name in names:
        *_, slug = name.split("/")
        if not SLUG.fullmatch(slug):
            raise UsageError(f"--expect: {name!r} is no site's name, and no such file is there")
    return tuple(dict.fromkeys(names))


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except OSError:  # a list may be longer than any file's name
        return False


def _listed(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_EXPECTED_BYTES + 1)
        if len(data) > LONGEST_EXPECTED_BYTES:
            raise UsageError(f"--expect: {path}: larger than {LONGEST_EXPECTED_BYTES} bytes")
        return [line.split("#")[0] for line in data.decode("utf-8").splitlines()]
    except OSError as error:
        raise UsageError(f"--expect: {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--expect: {path} is not UTF-8 text") from None


def _patience_s(given: str) -> float:
    try:
        return parse(given)
    except ValueError:
        raise UsageError(f"--silent-after: {given!r}; allowed: 3min, 90s, 1h (default 3min)") from None
