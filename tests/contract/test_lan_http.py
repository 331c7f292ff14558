"""One bounded request to a box: what is accepted, what is refused, and how long it may take."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.bbox import Bbox
from hardware.lan_http import LONGEST_HEAD, Endpoint, Tls, ask
from hardware.ports import HardwareError
from hardware.virtual.bbox import VirtualBbox
from hardware.virtual.box_server import Answer, BoxServer, Fault, FaultKind, Framing, Request, loopback

SECRET = "hunter2-secret"
OPENSSL = shutil.which("openssl")


def echo(request: Request) -> Answer:
    return Answer(request.body or b"nothing", headers=(("X-Path", request.path), ("Set-Cookie", "a=1")))


@pytest.fixture
def server() -> Iterator[BoxServer]:
    with BoxServer(echo) as built:
        yield built


def endpoint(server: BoxServer, timeout_s: float = 5.0, **more: object) -> Endpoint:
    return Endpoint("127.0.0.1", server.port, timeout_s=timeout_s, **more)  # type: ignore[arg-type]


class Raw:
    """A server that sends given bytes to each client and hangs up."""

    def __init__(self, data: bytes) -> None:
        self._listener = loopback()
        self.port = self._listener.getsockname()[1]
        self._data = data
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(self._data)
                except OSError:
                    continue

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("body", [b"", b"x", b"\0\xff" * 50_000], ids=["empty", "byte", "long"])
def test_a_request_arrives_and_its_answer_too(server: BoxServer, framing: Framing, body: bytes) -> None:
    """Method, path, query, headers and body reach the device; status, headers and body come back."""
    server.fault = Fault(framing=framing)
    server.answer = lambda request: Answer(body, 403, headers=(("X-Path", request.path),))
    reply = ask(endpoint(server), "POST", "/a/b?c=d%20e", body=b"{}", headers={"X-One": "1"})
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("POST", "/a/b", "c=d%20e")
    assert request.body == b"{}"
    assert request.headers["x-one"] == "1"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert (reply.status, reply.headers["x-path"], reply.body) == (403, "/a/b", body)


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("body", [b"", b"0123456789"])
def test_an_answer_cut_short_is_an_error(server: BoxServer, framing: Framing, body: bytes) -> None:
    """Whatever the byte after which the device hangs up, no part is taken for the whole.

    Except where nothing but the end of the connection shows the body's end, as HTTP/1.0 had it.
    """
    server.answer = lambda _: Answer(body, headers=(("Set-Cookie", "id=1234"),))
    server.fault = Fault(framing=framing)
    ask(endpoint(server), "GET", "/")
    head = server.answer(Request("GET", "/", "", {}, b"")).encoded(framing).index(b"\r\n\r\n") + 4
    # Of "0\r\n\r\n", which ends the chunks, the digit says it all.
    end = {Framing.LENGTH: server.sizes[0], Framing.CHUNKED: server.sizes[0] - 4, Framing.CLOSE: head}[
        framing
    ]
    for after in range(end):
        server.fault = Fault(FaultKind.CUT, after, framing=framing)
        with pytest.raises(HardwareError):
            ask(endpoint(server), "GET", "/")


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.DRIP])
def test_one_deadline_holds_for_the_whole_exchange(server: BoxServer, kind: FaultKind) -> None:
    """A server that never answers, or answers a byte at a time for ever, is left after the timeout."""
    server.fault = Fault(kind)
    with pytest.raises(HardwareError, match=r"no complete answer within 0\.2 s"):
        ask(endpoint(server, 0.2), "GET", "/")


def test_a_clock_that_jumps_ends_the_exchange(server: BoxServer) -> None:
    """The deadline is looked at before each byte, by the given clock."""
    readings = iter([0.0, 0.1, 0.2, 100.0])
    with pytest.raises(HardwareError, match="within 5 s"):
        ask(endpoint(server), "GET", "/", clock=lambda: next(readings))


def test_nothing_listening_is_said_in_words() -> None:
    """A refused connection names the address."""
    listener = loopback()
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(HardwareError, match=rf"127\.0\.0\.1:{port}: Connection refused"):
        ask(Endpoint("127.0.0.1", port), "GET", "/")


def test_too_long_an_answer_is_refused_whatever_it_announces(server: BoxServer) -> None:
    """10 MB are not read to the end, and a long announcement is not even begun."""
    server.fault = Fault(FaultKind.HUGE)
    with pytest.raises(HardwareError, match="beyond 262144 bytes"):
        ask(endpoint(server), "GET", "/")
    server.fault = Fault()
    server.answer = lambda _: Answer(b"x" * 1001)
    with pytest.raises(HardwareError, match="1001 bytes"):
        ask(endpoint(server, longest=1000), "GET", "/")
    assert len(ask(endpoint(server, longest=1001), "GET", "/").body) == 1001


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * LONGEST_HEAD,
        b"HTTP/1.1 100 Continue\r\n\r\n" * LONGEST_HEAD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 400_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 400_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00\x01\x02" * 1000,
        b"",
        b"SSH-2.0-OpenSSH\r\n",
    ],
    ids=["headers", "continue", "chunks", "trailers", "chunk", "short", "status", "binary", "hangup", "ssh"],
)
def test_what_is_no_http_is_an_error(data: bytes) -> None:
    """Endless heads, broken chunks and other protocols end in an error, without much memory."""
    raw = Raw(data)
    try:
        with pytest.raises(HardwareError):
            ask(Endpoint("127.0.0.1", raw.port, timeout_s=5.0), "GET", "/")
    finally:
        raw.stop()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_any_bytes_end_in_an_answer_or_an_error(data: bytes, start: bytes) -> None:
    """Nothing that a server sends raises anything else."""
    raw = Raw(start + data)
    try:
        ask(Endpoint("127.0.0.1", raw.port, timeout_s=5.0), "GET", "/")
    except HardwareError:
        pass
    finally:
        raw.stop()


def test_redirects_are_not_followed(server: BoxServer) -> None:
    """A box that sends its clients elsewhere gets an error and no second request."""
    server.fault = Fault(FaultKind.REDIRECT)
    with pytest.raises(HardwareError, match="redirects elsewhere"):
        ask(endpoint(server), "GET", "/")
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["mafreebox.freebox.fr", "", "192.168.1", "127.0.0.1:80"])
def test_only_addresses_are_taken(host: str) -> None:
    """A name would need DNS, which may be what does not work."""
    with pytest.raises(ValueError, match="IPv4 or IPv6"):
        Endpoint(host)


@pytest.mark.parametrize("values", [{"port": 0}, {"timeout_s": 0.0}, {"timeout_s": 61.0}, {"longest": 0}])
def test_limits_are_checked(values: dict[str, float]) -> None:
    """An endpoint without a sensible limit cannot be made."""
    with pytest.raises(ValueError, match="port 1 to 65535"):
        Endpoint("127.0.0.1", **values)  # type: ignore[arg-type]


def test_ipv6_works() -> None:
    """An IPv6 address is asked and written as it must be."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with BoxServer(echo, listener) as server:
        asked = Endpoint("::1", server.port)
        assert ask(asked, "GET", "/").status == 200
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}" == str(asked)


def test_the_interface_is_bound(server: BoxServer) -> None:
    """The request leaves by the named interface or not at all."""
    assert ask(endpoint(server, device="lo"), "GET", "/").status == 200
    with pytest.raises(HardwareError, match="No such device"):
        ask(endpoint(server, device="nosuch0"), "GET", "/")


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\nb", "é", "a\0b"])
def test_a_header_cannot_smuggle_another(server: BoxServer, bad: str) -> None:
    """What a box once answered and a driver sends back cannot break the request, nor is it quoted."""
    with pytest.raises(HardwareError) as caught:
        ask(endpoint(server), "GET", "/", headers={"X-Token": SECRET + bad})
    with pytest.raises(HardwareError):
        ask(endpoint(server), "GET", f"/?{bad}")
    assert SECRET not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind is not FaultKind.NONE])
def test_errors_and_logs_hold_no_secret(
    server: BoxServer, kind: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    """Query, headers and body appear in no error, no cause of an error and no log."""
    caplog.set_level(logging.DEBUG)
    server.answer = lambda request: Answer(request.body, headers=(("Location", f"/?{request.query}"),))
    server.fault = Fault(kind, after=60)
    try:
        ask(endpoint(server, 0.2), "POST", f"/?p={SECRET}", body=SECRET.encode(), headers={"X-T": SECRET})
    except HardwareError as error:
        chain: BaseException | None = error
        while chain is not None:
            assert SECRET not in f"{chain} {chain!r}"
            chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    assert SECRET not in caplog.text


# --- encryption -----------------------------------------------------------------------------------------


def run(*arguments: object) -> None:
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, a certificate of it for ``box.test`` and one that signed itself.

    The authority lacks the key usage, which Python 3.13 would miss in one of the system's.
    """
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    folder = tmp_path_factory.mktemp("pki")
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    run(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test authority",
        "-keyout", ca_key, "-out", ca)  # fmt: skip
    run(OPENSSL, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=box.test",
        "-keyout", folder / "box.key", "-out", folder / "box.csr")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:box.test\n")
    run(OPENSSL, "x509", "-req", "-in", folder / "box.csr", "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
        "-days", "2", "-extfile", folder / "names", "-out", folder / "box.pem")  # fmt: skip
    run(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=box.test",
        "-addext", "subjectAltName=DNS:box.test", "-keyout", folder / "self.key",
        "-out", folder / "self.pem")  # fmt: skip
    return folder


def tls_server(pki: Path, name: str) -> BoxServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    return BoxServer(echo, tls=context)


def test_encryption_with_a_certificate_for_the_name(pki: Path) -> None:
    """The device is reached by its address and asked for by its name."""
    with tls_server(pki, "box") as server:
        tls = Tls("box.test", pki / "ca.pem")
        reply = ask(endpoint(server, tls=tls), "POST", "/", body=b"sealed")
        assert (reply.body, server.requests[0].headers["host"]) == (b"sealed", "box.test")


@pytest.mark.parametrize(
    ("certificate", "name", "authority"),
    [("box", "other.test", "ca.pem"), ("box", "box.test", None), ("self", "box.test", "ca.pem")],
    ids=["other name", "unknown authority", "signed itself"],
)
def test_a_certificate_that_proves_nothing_ends_it(
    pki: Path, certificate: str, name: str, authority: str | None
) -> None:
    """Not a byte of the request goes to a device that cannot say who it is."""
    with tls_server(pki, certificate) as server:
        tls = Tls(name, pki / authority if authority else None)
        with pytest.raises(HardwareError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(endpoint(server, tls=tls), "POST", f"/?{SECRET}", body=b"sealed")
        assert server.requests == []


def test_a_bbox_is_asked_by_address_under_its_name(pki: Path) -> None:
    """The whole reading of a Bbox, encrypted; a client without its authority gets nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "box.pem", pki / "box.key")
    device = VirtualBbox(tls=context)
    try:
        where = replace(device.endpoint(), tls=Tls("box.test", pki / "ca.pem"))
        assert Bbox(where).read().line_up is True
        assert {request.headers["host"] for request in device.server.requests} == {"box.test"}
        with pytest.raises(HardwareError, match="CERTIFICATE_VERIFY_FAILED"):
            Bbox(replace(where, tls=Tls("box.test"))).read()
    finally:
        device.stop()


def test_a_plain_answer_to_an_encrypted_question_is_an_error(server: BoxServer) -> None:
    """There is no falling back to plain HTTP, nor to waiting for ever."""
    server.fault = Fault(FaultKind.HANG)
    with pytest.raises(HardwareError):
        ask(endpoint(server, 0.3, tls=Tls("box.test")), "GET", "/")
