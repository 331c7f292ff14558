"""From the configuration to what the probes are told: all of it, and nothing that cannot be asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.config.forms import public_name, web_page
from agent.config.reader import parse
from agent.plans import check_plans, probe_plans, questions
from agent.probes.checker import CheckPlan
from agent.probes.dns_message import encode_query
from agent.probes.icmp import ProbePlan
from agent.probes.inquiry import Questions
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


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
