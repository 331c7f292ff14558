"""Asks a server to prove who it is: a TLS handshake with verification, and no byte more than it takes.

The handshake is made in memory and its bytes are carried by hand, so that it goes through the bound socket,
ends in time, and takes no more than ``MOST_BYTES`` of whatever is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.core.service_words import Snag
from agent.probes.http_answer import printable
from agent.probes.services.outcome import Outcome
from agent.probes.services.talk import Talk

MOST_BYTES: Final = 65_536
"""Of a handshake and a short answer; chains of certificates have 2 to 8 kB."""
PARTING_S: Final = 1.0
"""A server that does not hang up in turn is left."""
_NOT_YET: Final = 9
"""X509_V_ERR_CERT_NOT_YET_VALID of <openssl/x509_vfy.h>."""


class UnprovenError(Exception):
    """The server could not prove who it is; the message says why."""


def open_context(ca_file: Path | None) -> ssl.SSLContext:
    """What the proof must be: a chain to a known authority, the right name, TLS 1.2 or newer.

    Raises:
        OSError: ``ca_file`` cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class SecureTalk:
    """A conversation by TLS on top of one by TCP."""

    def __init__(self, talk: Talk, context: ssl.SSLContext, host: str) -> None:
        self._talk = talk
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    async def shake_hands(self) -> bool:
        """Prove and be proven to; False if nothing more was heard before the end of it.

        Raises:
            UnprovenError: the server is not who it should be.
            ssl.SSLError: what was heard is not TLS, or both have no version in common.
        """
        try:
            return await self._run(self._tls.do_handshake)
        except ssl.SSLCertVerificationError as error:
            future = " (is the clock right?)" if error.verify_code == _NOT_YET else ""
            raise UnprovenError(f"{error.verify_message}{future}") from error

    async def say(self, data: bytes) -> None:
        """Send all of it, encrypted."""
        self._tls.write(data)
        await self._flush()

    async def listen(self, most: int) -> bytes:
        """Hear some more, at most so many bytes; empty if nothing more comes.

        Raises:
            ssl.SSLError: what was heard is not TLS.
        """
        heard: list[bytes] = []
        try:
            whole = await self._run(lambda: heard.append(self._tls.read(most)))
        except ssl.SSLZeroReturnError:
            return b""
        return heard[0] if whole else b""

    async def part(self) -> None:
        """End in good order: what the server still sends has been paid for, and belongs into the count."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(PARTING_S):
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
                await self._flush()
                while await self._talk.listen():
                    self._talk.heard = b""

    @property
    def valid_until(self) -> float | None:
        """When the server's certificate ends, UNIX seconds."""
        shown = self._tls.getpeercert()
        until = None if not shown else shown.get("notAfter")
        return float(ssl.cert_time_to_seconds(until)) if isinstance(until, str) else None

    async def _run(self, work: Callable[[], object]) -> bool:
        """Work with what was heard, and listen until it is enough; False if nothing more comes."""
        while True:
            try:
                work()
            except ssl.SSLWantReadError:
                await self._flush()
            except ssl.SSLError:
                # What is wrong is told to the server too, if it still listens.
                with contextlib.suppress(OSError):
                    await self._flush()
                raise
            else:
                await self._flush()
                return True
            if not await self._talk.listen():
                return False
            self._in.write(self._talk.heard)
            self._talk.heard = b""

    async def _flush(self) -> None:
        data = self._out.read()
        if data:
            await self._talk.say(data)


async def prove(talk: Talk, context: ssl.SSLContext, host: str) -> SecureTalk | Outcome:
    """Shake hands; the conversation that may begin then, or what prevents it."""
    secure = SecureTalk(talk, context, host)
    try:
        if await secure.shake_hands():
            return secure
    except UnprovenError as error:
        return talk.over(Snag.CERTIFICATE, printable(str(error)))
    except ssl.SSLError as error:
        return talk.over(Snag.NOT_SPOKEN, f"no TLS: {printable(error.reason or str(error))}")
    return talk.cut_short()


async def only_prove(talk: Talk, context: ssl.SSLContext, host: str) -> Outcome:
    """The whole question of a service of kind ``tls``."""
    secure = await prove(talk, context, host)
    if isinstance(secure, Outcome):
        return secure
    outcome = talk.over(None, "", secure.valid_until)
    await secure.part()
    return outcome
