"""From the configuration to what the probes are told: all of it, and nothing that cannot be asked."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.config.forms import public_name, service_host, web_page, web_path
from agent.config.reader import parse
from agent.core.service_words import ServiceKind
from agent.plans import check_plans, exits, probe_plans, questions, service_plans
from agent.probes.checker import CheckPlan
from agent.probes.dns_message import encode_query
from agent.probes.icmp import ProbePlan
from agent.probes.inquiry import Questions
from agent.probes.services.asker import Exit
from agent.probes.services.https import request
from agent.probes.services.plan import ServicePlan, Transport
from agent.probes.services.sip_message import Options
from agent.probes.web import Page

FILE = """
[site]
name = "garage"
[[uplink]]
name = "ftth"
interface = "eth0"
source = "192.168.1.10"
gateway = "192.168.1.1"
targets = ["1.1.1.1", "8.8.8.8"]
timeout_s = 2
[[uplink]]
name = "4g"
kind = "cellular"
interface = "wwan0"
[checks]
names = ["example.net"]
name_servers = ["9.9.9.9"]
web = ["http://example.net", "http://1.2.3.4:8080/a?b=c it works"]
every_s = 60
every_metered_s = 600
"""
CONFIG = parse(FILE)
USUAL = ("1.1.1.1", "8.8.8.8", "9.9.9.9")


def test_every_uplink_is_watched_as_configured() -> None:
    """Interface, address, gateway, targets and pace."""
    assert probe_plans(CONFIG) == [
        ProbePlan("ftth", "eth0", ("1.1.1.1", "8.8.8.8"), "192.168.1.10", "192.168.1.1", 1.0, 2.0),
        ProbePlan("4g", "wwan0", USUAL, None, None, 10.0, 1.0),
    ]


def test_every_uplink_is_checked_as_configured() -> None:
    """More seldom where data costs money."""
    assert check_plans(CONFIG) == [
        CheckPlan("ftth", "eth0", ("1.1.1.1", "8.8.8.8"), 60.0, "192.168.1.10", "192.168.1.1"),
        CheckPlan("4g", "wwan0", USUAL, 600.0),
    ]


SERVICES = """
[[service]]
name = "phone"
kind = "sip"
host = "sip.example.net."
transport = "tcp"
[[service]]
name = "apps"
kind = "https"
host = "dms.example.net"
port = 8443
path = "/login?next=/"
status = 302
ca_file = "/etc/vigie/ca.pem"
[[service]]
name = "names"
kind = "dns"
host = "10.1.2.3"
question = "dms.example.net"
"""


def test_every_service_is_asked_as_configured() -> None:
    """Through the ways that uplinks are; a certificate is for a name without its last dot."""
    config = parse(FILE + SERVICES)
    assert service_plans(config) == [
        ServicePlan("phone", ServiceKind.SIP, "sip.example.net", 5060, Transport.TCP),
        ServicePlan(
            "apps",
            ServiceKind.HTTPS,
            "dms.example.net",
            8443,
            path="/login?next=/",
            status=302,
            ca_file=Path("/etc/vigie/ca.pem"),
        ),
        ServicePlan("names", ServiceKind.DNS, "10.1.2.3", 53, question="dms.example.net"),
    ]
    assert exits(config) == [Exit("ftth", "eth0", "192.168.1.10", "192.168.1.1"), Exit("4g", "wwan0")]


def test_questions_are_those_of_the_file() -> None:
    """A page without a path is the first page of its server; a text behind it is what it answers."""
    assert questions(CONFIG) == Questions(
        names=("example.net",),
        name_servers=("9.9.9.9",),
        pages=(Page("example.net", "/"), Page("1.2.3.4", "/a?b=c", 8080, "it works")),
    )


def test_the_usual_questions_are_of_several_operators() -> None:
    """Two names, two servers, three pages, one of which answers with a text."""
    usual = questions(parse(FILE.partition("[checks]")[0]))
    assert (len(usual.names), len(usual.name_servers), len(usual.pages)) == (2, 2, 3)
    assert usual.pages[2] == Page("detectportal.firefox.com", "/success.txt", body="success")


HOSTS = st.one_of(
    st.from_regex(r"([a-zA-Z0-9_-]{1,64}\.){1,4}[a-z]{1,3}\.?", fullmatch=True),
    st.sampled_from(
        ["8.8.8.8", "example.net", "a..b", "nas.local", "x" * 63 + ".fr", ("x" * 60 + ".") * 5 + "fr"]
    ),
    st.text("aZ09-_.é /:@\r\n", max_size=20),
)
PATHS = st.text(st.characters(max_codepoint=0x17F), max_size=12)


@given(HOSTS)
def test_whatever_name_is_allowed_can_be_asked_for(name: str) -> None:
    """The configuration promises what the probe can do."""
    if public_name(name) is None:
        assert encode_query(1, name)


@given(HOSTS, st.sampled_from(["", ":1", ":65535", ":0"]), PATHS, PATHS)
def test_whatever_page_is_allowed_can_be_asked_for(host: str, port: str, path: str, body: str) -> None:
    """One request, which nothing in the file can make two of."""
    text = f"http://{host}{port}/{path} {body}"
    if web_page(text) is not None:
        return
    (page,) = questions(parse(FILE.partition("web =")[0] + f"web = [{quoted(text)}]")).pages
    request = page.request()
    assert request.count(b"\r\n\r\n") == 1
    assert len(request.split(b"\r\n")) == 7
    assert page.host[0].isdigit() or encode_query(1, page.host)


@given(HOSTS, PATHS)
def test_whatever_service_is_allowed_can_be_asked_for(host: str, path: str) -> None:
    """One request of one line each header, whatever stands in the file."""
    if service_host(host) is not None or web_path(f"/{path}") is not None:
        return
    (phone,) = service_plans(parse(FILE + SERVICES.replace("sip.example.net.", host)))[:1]
    options = Options(phone.host, phone.port, "TCP", ("192.168.1.10", 5060), "ab").encode()
    assert (options.count(b"\r\n\r\n"), len(options.split(b"\r\n"))) == (1, 13)
    asked = request(ServicePlan("apps", ServiceKind.HTTPS, phone.host, 443, path=f"/{path}"))
    assert (asked.count(b"\r\n\r\n"), len(asked.split(b"\r\n"))) == (1, 7)
    assert phone.host[0].isdigit() or encode_query(1, phone.host)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
