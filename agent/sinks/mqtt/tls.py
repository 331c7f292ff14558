"""The encrypted side of the connection to the broker, and its failures in words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any


class Tls(ssl.SSLContext):
    """Verifies the broker's certificate and name, and can close the socket of a failed handshake.

    paho forgets such a socket, which would stay open until it happens to be collected.
    """

    _last: ssl.SSLSocket | None = None

    @classmethod
    def believing(cls, ca_file: Path | str | None) -> Tls:
        """A context that believes the CAs in this file, or the system's; raises OSError, ValueError."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
        return context

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """As the base class, remembering the socket."""
        self._last = super().wrap_socket(*args, **options)
        return self._last

    def close_last(self) -> None:
        """Close the socket of the last handshake, if there was one."""
        if self._last is not None:
            self._last.close()


def reason(error: BaseException | None) -> str:
    """A failed connection in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no encrypted connection: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) if error else "no connection"
