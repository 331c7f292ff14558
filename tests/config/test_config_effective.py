"""What is made of a good configuration: its effective text, the core's site, advice, the password."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.config.effective import effective, mqtt_password, to_site
from agent.config.notices import notices
from agent.config.reader import parse
from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec

EXAMPLE = resources.files("agent.config").joinpath("example.toml").read_text(encoding="utf-8")
MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
MQTT = MINIMAL + '[mqtt]\nhost = "mqtt.example.net"\n'


# --- derived values -------------------------------------------------------------------------------------


def test_a_cellular_uplink_pings_every_ten_seconds_unless_told_otherwise():
    """A data plan is spared by default, and only by default."""
    assert parse(MINIMAL).uplink[1].interval_s == 10.0
    told = MINIMAL.replace('interface = "eth1"', 'interface = "eth1"\ninterval_s = 2')
    assert parse(told).uplink[1].interval_s == 2.0


def test_a_box_is_confirmed_as_long_as_it_boots():
    """Waiting costs as much as acting: ``confirm_s`` follows ``boot_s``."""
    slow = MINIMAL.replace('relay = "gpio17"', 'relay = "gpio17"\nboot_s = 200')
    assert parse(slow).box[0].confirm_s == 200.0
    assert parse(MINIMAL).box[0].confirm_s == 120.0


def test_labels_are_names_until_given():
    """Every subject has a name for people."""
    config = parse(MINIMAL)
    assert (config.site.label, config.uplink[0].label, config.box[0].label) == (
        "garage-martin",
        "ftth",
        "box-ftth",
    )


@pytest.mark.parametrize(("tls", "port"), [("", 8883), ("tls = true", 8883), ("tls = false", 1883)])
def test_the_port_follows_tls(tls, port):
    """The broker's usual port is taken for each kind of connection."""
    mqtt = parse(f"{MQTT}{tls}\n").mqtt
    assert mqtt is not None
    assert (mqtt.port, mqtt.client_id) == (port, "vigie-garage-martin")


# --- the effective text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [EXAMPLE, MINIMAL, MQTT], ids=["example", "minimal", "mqtt"])
def test_the_effective_text_reads_back_as_the_same_configuration(text):
    """``check`` prints a file that could replace the one it read."""
    config = parse(text)
    assert parse(effective(config)) == config


def test_texts_with_quotes_and_backslashes_survive_the_effective_text():
    """Any label that is allowed can be printed."""
    config = parse(MINIMAL + """operator = 'x'\n""".replace("operator", "label").replace("x", r'a "b" \n é'))
    assert parse(effective(config)).box[0].label == r'a "b" \n é'


def test_defaults_are_marked_and_given_values_are_not():
    """A reader sees what the file decides and what it leaves open."""
    lines = effective(parse(MINIMAL)).splitlines()
    assert "timeout_s = 1  # default" in lines
    assert "interval_s = 10  # default" in lines
    assert 'relay = "gpio17"' in lines
    assert "# [mqtt] is not set" in lines


# --- the core's site ------------------------------------------------------------------------------------


def test_the_site_carries_everything_that_the_core_must_know():
    """Names, order, times and budget arrive in the core unchanged; a box without a relay is not wired."""
    text = (
        MINIMAL
        + '[[box]]\nname = "modem"\nuplink = "4g"\n[power]\narmed = false\n[failover]\nswitch_cost_s = 7\n'
    )
    targets = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
    assert to_site(parse(text)) == Site(
        name="garage-martin",
        label="garage-martin",
        uplinks=(
            UplinkSpec("ftth", "ftth", UplinkKind.FTTH, targets, 1.0),
            UplinkSpec("4g", "4g", UplinkKind.CELLULAR, targets, 10.0),
        ),
        boxes=(
            BoxSpec("box-ftth", "box-ftth", "ftth", True, 120.0, 10.0, 120.0),
            BoxSpec("modem", "modem", "4g", False, 120.0, 10.0, 120.0),
        ),
        power=PowerRules(armed=False, require_proof=True),
        switch_cost_s=7.0,
    )


def test_the_defaults_of_file_and_core_are_the_same():
    """A site built in a test behaves like one that is configured."""
    site = to_site(parse(MINIMAL))
    assert site.power == PowerRules(require_proof=True), "a site must have seen its relays at work"
    assert site.switch_cost_s == Site("x", "x", ()).switch_cost_s
    assert site.boxes[0] == BoxSpec("box-ftth", "box-ftth", "ftth")


# --- advice ---------------------------------------------------------------------------------------------


def with_line(after: str, line: str) -> str:
    return MQTT.replace(after, f"{after}\n{line}", 1)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (MINIMAL.split('[[uplink]]\nname = "4g"')[0], "only one uplink"),
        (
            with_line('interface = "eth0"', 'operator = "Orange"').replace(
                'interface = "eth1"', 'interface = "eth1"\noperator = "orange"'
            ),
            "all uplinks are of Orange",
        ),
        (MINIMAL.replace("relay =", "label ="), "no box has a relay"),
        (MINIMAL + "[power]\narmed = false\n", "power.armed is false"),
        (MINIMAL + "[power]\nspacing_s = [2, 300]\n", "power.spacing_s has 2: below 300 s"),
        (MINIMAL + "[power]\nspacing_s = [600, 300]\n", "power.spacing_s gets shorter"),
        (MINIMAL + "[power]\nper_day = 1\n", "power.per_day is below power.per_incident"),
        (with_line('interface = "eth0"', 'targets = ["1.1.1.1", "8.8.8.8"]'), "uplink ftth: only 2 targets"),
        (
            with_line('interface = "eth0"', 'targets = ["1.1.1.1", "1.0.0.1"]'),
            "uplink ftth: all targets are of Cloudflare",
        ),
        (
            with_line('interface = "eth0"', 'targets = ["1.1.1.1", "8.8.8.8", "203.0.113.9"]'),
            "uplink ftth: 203.0.113.9 is an address for examples",
        ),
        (MINIMAL + "[checks]\nnames = []\n", "checks.names is empty"),
        (MINIMAL + '[checks]\nweb = ["http://example.net/"]\n', "checks.web has only one entry"),
        (MINIMAL + "[checks]\nevery_metered_s = 60\n", "checks.every_metered_s is below checks.every_s"),
        (MINIMAL + "[panel.leds]\nftth = { green = 5, red = 6 }\n", "no LED for site, 4g"),
        (MQTT + 'tls = false\nusername = "garage"\n', "mqtt: user and password go unencrypted"),
        (MQTT + "port = 1883\n", "mqtt: port 1883 is usually unencrypted, but tls is true"),
        (MQTT + 'tls = false\nca_file = "/etc/ca.pem"\n', "mqtt: ca_file is not used"),
    ],
)
def test_what_will_not_work_as_wished_is_advised_on(text, advice):
    """Each doubtful choice brings its line, in both languages, and is still accepted."""
    config = parse(text)
    assert [line for line in notices(config) if line.startswith(advice)]
    assert len(notices(config, "fr")) == len(notices(config, "en"))
    assert not set(notices(config, "fr")) & set(notices(config, "en"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "192.168.1.5", "broker.local"])
def test_a_plain_connection_within_the_site_needs_no_advice(host):
    """Only what leaves the site unencrypted is worth a word."""
    text = MQTT.replace("mqtt.example.net", host) + 'tls = false\nusername = "garage"\n'
    assert notices(parse(text)) == []


# --- the password ---------------------------------------------------------------------------------------


def mqtt_of(lines: str):
    mqtt = parse(MQTT + lines).mqtt
    assert mqtt is not None
    return mqtt


def test_the_password_is_read_from_the_named_file_without_its_last_newline(tmp_path):
    """An editor's newline is not part of the password; other spaces are."""
    (tmp_path / "secret").write_text(" hunter2 \n")
    mqtt = mqtt_of(f'username = "garage"\npassword_file = "{tmp_path}/secret"\n')
    assert mqtt_password(mqtt, {}) == " hunter2 "


@pytest.mark.parametrize("line", ["", 'password_file = "mqtt-password"\n'], ids=["unsaid", "named"])
def test_the_password_comes_from_the_credential_of_systemd(tmp_path, line):
    """The credential is found by its name alone, named or not."""
    (tmp_path / "mqtt-password").write_text("hunter2")
    mqtt = mqtt_of(f'username = "garage"\n{line}')
    assert mqtt_password(mqtt, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


def test_without_user_or_credential_there_is_no_password(tmp_path):
    """An anonymous connection, and a user without a password, are possible."""
    assert mqtt_password(mqtt_of(""), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert mqtt_password(mqtt_of('username = "garage"\n'), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert mqtt_password(mqtt_of('username = "garage"\n'), {}) is None


def test_a_credential_that_was_named_must_be_there(tmp_path):
    """What the file asks for is not silently left out."""
    mqtt = mqtt_of('username = "garage"\npassword_file = "mqtt-password"\n')
    for environ in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        with pytest.raises(FileNotFoundError):
            mqtt_password(mqtt, environ)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff\xfe", b"x" * 70000], ids=["empty", "newline", "binary", "long"]
)
def test_a_password_file_without_a_password_is_refused_without_quoting_it(tmp_path, content):
    """The message names the file, never what is in it."""
    (tmp_path / "secret").write_bytes(content)
    mqtt = mqtt_of(f'username = "garage"\npassword_file = "{tmp_path}/secret"\n')
    with pytest.raises(ValueError, match="secret") as caught:
        mqtt_password(mqtt, {})
    assert "xxx" not in str(caught.value)
