"""The encrypted side of the connection to the broker, and its failures in words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Self

_NOT_YET, _EXPIRED, _WRONG_HOST, _WRONG_ADDRESS = 9, 10, 62, 64  # <openssl/x509_vfy.h>
_UNKNOWN_SIGNER = (2, 18, 19, 20, 21)
_CLOSED = ("UNEXPECTED_EOF_WHILE_READING", "WRONG_VERSION_NUMBER", "HTTP_REQUEST")
_CLIENT_WANTED = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_CLIENT_REFUSED = (
    *("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE"),
    *("CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "ACCESS_DENIED", "DECRYPT_ERROR"),
)


class SetupError(Exception):
    """What was configured for the encryption cannot be used; the message names the file and why."""


class _Socket(ssl.SSLSocket):
    """Keeps what the other side says when it ends the connection: paho does not pass it on."""

    def recv(self, *args: Any) -> bytes:
        try:
            return super().recv(*args)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if isinstance(self.context, Tls):
                self.context.said = error
            raise


class Tls(ssl.SSLContext):
    """Verifies the broker's certificate and name, and can close the socket of a failed handshake.

    paho forgets such a socket, which would stay open until it happens to be collected.
    """

    sslsocket_class = _Socket
    said: ssl.SSLError | None = None
    """With what the other side ended the connection after the handshake; with TLS 1.3, a refused client
    certificate."""
    _last: ssl.SSLSocket | None = None

    @classmethod
    def believing(
        cls,
        ca_file: Path | str | None,
        cert_file: Path | str | None = None,
        key_file: Path | str | None = None,
    ) -> Self:
        """A context that believes the CAs in this file, or the system's, and shows this certificate, if any.

        Raises:
            SetupError: a file cannot be used.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is None:
            context.load_default_certs()
        else:
            _use(context, ca_file)
        if cert_file is not None:
            _show(context, cert_file, key_file)
        return context

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """As the base class, remembering the socket."""
        self._last = super().wrap_socket(*args, **options)
        return self._last

    def close_last(self) -> None:
        """Close the socket of the last handshake, if there was one."""
        if self._last is not None:
            self._last.close()


def _use(context: ssl.SSLContext, ca_file: Path | str) -> None:
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        raise SetupError(f"CA file {ca_file}: holds no certificate in PEM form") from None
    except OSError as error:
        raise SetupError(f"CA file {ca_file}: {error.strerror or error}") from None


def _show(context: ssl.SSLContext, cert_file: Path | str, key_file: Path | str | None) -> None:
    for what, file in (("certificate file", cert_file), ("key file", key_file)):
        try:
            if file is not None:
                Path(file).open("rb").close()
        except OSError as error:
            raise SetupError(f"{what} {file}: {error.strerror or error}") from None
    key = key_file or cert_file
    try:
        # Without a password of its own OpenSSL would ask for one on a terminal, and wait.
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except SetupError:
        raise SetupError(f"key file {key}: is encrypted; only a plain key can be used") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SetupError(f"key file {key}: does not belong to certificate file {cert_file}") from None
        files = f"certificate file {cert_file}" + ("" if key_file is None else f", key file {key_file}")
        raise SetupError(f"{files}: no certificate with its private key in PEM form") from None


def _no_password() -> str:
    raise SetupError


def reason(error: BaseException | None) -> str:
    """A failed connection in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {_verification(error)}"
    if isinstance(error, ssl.SSLError):
        return _handshake(error)
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ConnectionResetError):
        return "closed by the other side while connecting"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) if error else "no connection"


def _verification(error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case code if code == _NOT_YET:
            return "it is not valid yet, or this machine's clock is behind"
        case code if code == _EXPIRED:
            return "it has expired, or this machine's clock is ahead"
        case code if code in (_WRONG_HOST, _WRONG_ADDRESS):
            return f"it is for another name ({error.verify_message})"
        case code if code in _UNKNOWN_SIGNER:
            return f"signed by nobody who is believed here ({error.verify_message}); see ca_file"
    return error.verify_message


def _handshake(error: ssl.SSLError) -> str:
    why = error.reason or str(error)
    if isinstance(error, ssl.SSLEOFError) or why in _CLOSED:
        return "no encrypted connection: what answers there does not speak TLS; is it the port without?"
    if "PROTOCOL" in why:
        return f"no encrypted connection: no version of TLS in common, 1.2 is the least ({why})"
    if why.endswith(_CLIENT_WANTED):
        return f"the broker wants a client certificate, see cert_file ({why})"
    if "ALERT" in why and why.endswith(_CLIENT_REFUSED):
        return f"the broker refuses the client certificate ({why})"
    return f"no encrypted connection: {why}"


_REFUSALS = {
    "Bad user name or password": "wrong user name or password",
    "Not authorized": "not authorised: user name, password or certificate are not accepted",
    "Client identifier not valid": "the broker does not accept this client_id",
    "Unsupported protocol version": "the broker does not speak MQTT 3.1.1",
    "Server unavailable": "the broker says that it is not available",
}


def refusal(answer: str) -> str:
    """A broker's refusal in words, by the name that MQTT 3.1.1 (3.2.2.3) has for it."""
    return f"refused: {_REFUSALS.get(answer, answer)}"
