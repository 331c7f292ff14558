"""Where the page on the local network is served, as the configuration says it."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.config.effective import effective
from agent.config.forms import web_address, web_listen
from agent.config.notices import notices
from agent.config.reader import parse

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")


def with_panel(lines: str) -> str:
    return f"{MINIMAL}\n[panel]\n{lines}\n"


def test_there_is_no_page_unless_asked_for():
    """The page is off by default, and the effective text says so."""
    config = parse(MINIMAL)
    assert config.panel.web is None
    assert "# web is not set" in effective(config)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("8080", ("", 8080)),
        ("1024", ("", 1024)),
        ("65535", ("", 65535)),
        ("192.168.1.10:8080", ("192.168.1.10", 8080)),
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
    ],
)
def test_address_and_port_or_a_port_alone(text, place):
    """Both forms are good, and taken apart as they are meant."""
    assert web_listen(text) is None
    assert web_address(text) == place


def test_the_effective_text_reads_back_as_the_same():
    """Address and names survive the way through the effective text."""
    config = parse(with_panel('web = "192.168.1.10:8080"\nweb_names = ["vigie.lan", "vigie"]'))
    assert parse(effective(config)) == config


@pytest.mark.parametrize("name", ["vigie.", ".vigie", "192.168.1.10", "vigie lan", "", "vigie/"])
def test_a_name_of_the_page_is_a_host_name(name):
    """Addresses need no entry, and what no browser sends as a host is refused."""
    with pytest.raises(Exception, match=r"web_names\[0\]"):
        parse(with_panel(f'web = "8080"\nweb_names = ["{name}"]'))


def test_a_public_address_is_advised_against():
    """Machines of a LAN alone are answered, so a public address serves nobody."""
    (line,) = [line for line in notices(parse(with_panel('web = "203.0.113.5:8080"'))) if "panel" in line]
    assert "203.0.113.5" in line


def test_names_without_a_page_are_told():
    """A key that has no effect does not stand unnoticed."""
    assert any("web_names" in line for line in notices(parse(with_panel('web_names = ["vigie.lan"]'))))
    assert not any("panel" in line for line in notices(parse(with_panel('web = "8080"'))))
