"""Asks a web server for one page by HTTPS, and looks at its status; of the page itself nothing is wanted."""

from __future__ import annotations

import ssl
from typing import Final

from agent.core.service_words import Snag
from agent.probes.http_answer import HttpError, parse
from agent.probes.services.outcome import Outcome
from agent.probes.services.plan import ServicePlan
from agent.probes.services.talk import Talk
from agent.probes.services.tls import prove

USUAL_PORT: Final = 443
LONGEST_HEAD: Final = 16_384
"""Bytes of an answer's head; more is no answer."""
ERROR: Final = 500
"""From here on the server says that it does not work (RFC 9110, 15.6). Below it works: an application that
wants a login answers 401, or leads to its login page."""


def request(plan: ServicePlan) -> bytes:
    """What is sent: HEAD, so that the page stays where it is, unless a status is expected of GET.

    Servers that know no HEAD exist, and those that answer it otherwise; what is expected was seen by GET.
    """
    authority = plan.host if plan.port == USUAL_PORT else f"{plan.host}:{plan.port}"
    lines = [
        f"{'HEAD' if plan.status is None else 'GET'} {plan.path} HTTP/1.1",
        f"Host: {authority}",
        "User-Agent: vigie",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def judge(status: int, expected: int | None) -> Snag | None:
    """What the status of an answer means."""
    well = status < ERROR or status == NOT_IMPLEMENTED if expected is None else status == expected
    return None if well else Snag.STATUS


NOT_IMPLEMENTED: Final = 501
"""Of HEAD, as of 405: the server is there and knows only GET."""


async def ask_https(talk: Talk, context: ssl.SSLContext, plan: ServicePlan) -> Outcome:
    """The whole question of a service of kind ``https``."""
    secure = await prove(talk, context, plan.host)
    if isinstance(secure, Outcome):
        return secure
    heard = b""
    try:
        await secure.say(request(plan))
        while True:
            answer = parse(heard)
            if answer is not None:
                snag = judge(answer.status, plan.status)
                wanted = "" if snag is None or plan.status is None else f", not {plan.status}"
                return talk.over(snag, f"status {answer.status}{wanted}", secure.valid_until)
            if len(heard) >= LONGEST_HEAD:
                return talk.over(Snag.NOT_SPOKEN, "a head without end")
            piece = await secure.listen(LONGEST_HEAD - len(heard))
            if not piece:
                return talk.cut_short()
            heard += piece
    except HttpError as error:
        return talk.over(Snag.NOT_SPOKEN, f"no HTTP: {error}")
    except ssl.SSLError as error:
        return talk.over(Snag.HUNG_UP, f"TLS ended: {error.reason}")
