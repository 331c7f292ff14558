"""What is made of a good configuration: its effective text, the core's site, and advice."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.config.asked import asked
from agent.config.effective import data_limits, effective, reboots, to_site
from agent.config.notices import notices
from agent.config.reader import parse
from agent.core.devices import DeviceKind, DeviceSpec
from agent.core.failover_rules import FailoverRules
from agent.core.service_words import ServiceKind, ServiceSpec
from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec

EXAMPLE = resources.files("agent.config").joinpath("example.toml").read_text(encoding="utf-8")
MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
MQTT = MINIMAL + '[mqtt]\nhost = "mqtt.example.net"\n'

ASKED = """
[site]
name = "garage"

[[uplink]]
name = "ftth"
kind = "ftth"
interface = "eth0"

[[uplink]]
name = "sky"
kind = "starlink"
interface = "eth1"
gateway = "192.168.2.1"

[[uplink]]
name = "4g"
kind = "cellular"
interface = "eth2"
gateway = "192.168.8.3"

[[uplink]]
name = "5g"
kind = "cellular"
interface = "wwan0"

[[box]]
name = "ont"
uplink = "ftth"

[[box]]
name = "bbox"
uplink = "ftth"
relay = "gpio17"
api = "bbox"
password_file = "/etc/vigie/bbox"

[[box]]
name = "dish"
uplink = "sky"
api = "starlink"

[[box]]
name = "4g-psu"
uplink = "4g"
relay = "gpio27"

[[modem]]
name = "stick"
uplink = "4g"
driver = "hilink"
bands = ["B3", "n78"]

[[modem]]
name = "module"
label = "Module 5G"
uplink = "5g"
driver = "at"
device = "/dev/ttyUSB2"
boot_s = 60
data_gb = 0.5
"""


# --- derived values -------------------------------------------------------------------------------------


def test_a_cellular_uplink_pings_every_ten_seconds_unless_told_otherwise():
    """A data plan is spared by default, and only by default."""
    assert parse(MINIMAL).uplink[1].interval_s == 10.0
    told = MINIMAL.replace('interface = "eth1"', 'interface = "eth1"\ninterval_s = 2')
    assert parse(told).uplink[1].interval_s == 2.0


def test_a_standby_by_radio_has_a_data_budget():
    """50 MB a month unless the file says otherwise; none for the first uplink, nor for any other kind."""
    assert [uplink.data_mb for uplink in parse(MINIMAL).uplink] == [None, 50]
    assert data_limits(parse(MINIMAL)) == {"4g": 50_000_000}
    told = MINIMAL.replace('interface = "eth1"', 'interface = "eth1"\ndata_mb = 300')
    assert parse(told).uplink[1].data_mb == 300
    first = MINIMAL.replace('kind = "ftth"', 'kind = "cellular"')
    assert [uplink.data_mb for uplink in parse(first).uplink] == [None, 50]
    assert parse(MINIMAL.replace('kind = "cellular"', 'kind = "other"')).uplink[1].data_mb is None


def test_a_budget_that_does_not_pay_for_the_pace_is_told():
    """The advice says how often there will be a ping; the default budget pays for the default pace."""
    assert not [advice for advice in notices(parse(MINIMAL)) if "MB" in advice]
    (said,) = [
        advice
        for advice in notices(
            parse(MINIMAL.replace('interface = "eth1"', 'interface = "eth1"\ndata_mb = 20'))
        )
        if "MB" in advice
    ]
    assert "uplink 4g: 20 MB a month do not pay for a ping every 10 s" in said
    assert "one every 24 s" in said


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


@pytest.mark.parametrize(
    ("old", "new", "address"),
    [
        ("", "", "192.168.1.254"),
        ('interface = "eth0"', 'interface = "eth0"\ngateway = "10.0.0.1"', "10.0.0.1"),
        ('api = "bbox"', 'api = "bbox"\naddress = "10.0.0.2"', "10.0.0.2"),
        ('api = "bbox"', 'api = "livebox"', "192.168.1.1"),
    ],
    ids=["delivered", "gateway", "given", "other"],
)
def test_a_box_is_asked_at_its_gateway_or_as_delivered(old, new, address):
    """Unless the file says where."""
    assert parse(ASKED.replace(old, new, 1)).box[1].address == address


def test_devices_without_an_address_of_their_own_have_none():
    """A dish has one address, whatever its gateway; a serial modem and a box that is not asked have none."""
    config = parse(ASKED)
    assert [box.address for box in config.box] == [None, "192.168.1.254", "192.168.100.1", None]
    assert [modem.address for modem in config.modem] == ["192.168.8.3", None]


# --- the effective text ---------------------------------------------------------------------------------


FACTS = (
    MINIMAL
    + """
[box.facts]
contact = "nc"
[site.facts]
ups_min = 0
contacts = [{ name = 'A "b"', phone = "+33612345678" }, { name = "C", phone = "+33612345679", role = "IT" }]
broker_on_site = false
"""
)


@pytest.mark.parametrize(
    "text", [EXAMPLE, MINIMAL, MQTT, ASKED, FACTS], ids=["example", "minimal", "mqtt", "asked", "facts"]
)
def test_the_effective_text_reads_back_as_the_same_configuration(text):
    """``check`` prints a file that could replace the one it read."""
    config = parse(text)
    assert parse(effective(config)) == config


def test_texts_with_quotes_and_backslashes_survive_the_effective_text():
    """Any label that is allowed can be printed."""
    config = parse(MINIMAL + """operator = 'x'\n""".replace("operator", "label").replace("x", r'a "b" \n é'))
    assert parse(effective(config)).box[0].label == r'a "b" \n é'


def test_every_password_has_its_source_and_none_is_shown():
    """A file, a credential or none, for what could have one."""
    text = ASKED.replace('driver = "hilink"', 'driver = "hilink"\npassword_file = "stick-password"')
    told = [line for line in effective(parse(text)).splitlines() if line.startswith("# password: ")]
    assert told == [
        "# password: *** (in password_file)",
        "# password: none",
        "# password: *** (systemd credential stick-password)",
    ]
    text = MQTT + 'username = "garage"\n'
    assert "# password: *** (systemd credential mqtt-password)" in effective(parse(text))
    assert "# password: none" in effective(parse(MQTT))


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
            UplinkSpec("ftth", "ftth", UplinkKind.FTTH, targets, 1.0, checks_s=300.0),
            UplinkSpec("4g", "4g", UplinkKind.CELLULAR, targets, 10.0, data_bytes=50_000_000),
        ),
        boxes=(
            BoxSpec("box-ftth", "box-ftth", "ftth", True, 120.0, 10.0, 120.0),
            BoxSpec("modem", "modem", "4g", False, 120.0, 10.0, 120.0),
        ),
        power=PowerRules(armed=False, require_proof=True),
        switch_cost_s=7.0,
        failover=FailoverRules(path_targets=targets),
    )


def test_the_site_knows_its_services_and_whom_they_are_asked_of():
    """Ports follow the kind; where data cost money, nothing is asked more often than elsewhere."""
    text = (
        MINIMAL
        + """
[[service]]
name = "phone"
label = "Téléphone"
kind = "sip"
host = "sip.example.net"
transport = "tcp"
every_s = 3600
every_metered_s = 300
[[service]]
name = "apps"
kind = "https"
host = "dms.example.net"
path = "/login"
[[service]]
name = "names"
kind = "dns"
host = "10.1.2.3"
question = "dms.example.net"
"""
    )
    assert to_site(parse(text)).services == (
        ServiceSpec("phone", "Téléphone", ServiceKind.SIP, "sip.example.net:5060 tcp", 3600.0, 3600.0),
        ServiceSpec("apps", "apps", ServiceKind.HTTPS, "dms.example.net:443/login", 60.0, 21_600.0),
        ServiceSpec("names", "names", ServiceKind.DNS, "10.1.2.3:53 dms.example.net", 60.0, 21_600.0),
    )
    assert parse(effective(parse(text))) == parse(text)


def test_the_site_knows_who_speaks_for_each_uplink():
    """A modem with its plan and its bands, a box, a dish; whoever is not asked speaks for nothing."""
    assert [uplink.device for uplink in to_site(parse(ASKED)).uplinks] == [
        DeviceSpec("bbox", "bbox", DeviceKind.BOX),
        DeviceSpec("dish", "dish", DeviceKind.DISH),
        DeviceSpec("stick", "stick", DeviceKind.MODEM, None, ("B3", "n78")),
        DeviceSpec("module", "Module 5G", DeviceKind.MODEM, 500_000_000),
    ]
    assert [uplink.device for uplink in to_site(parse(MINIMAL)).uplinks] == [None, None]


def test_a_modem_reboots_its_box_or_is_one():
    """The box of its uplink is its power; alone it is a box without a relay."""
    config = parse(ASKED)
    assert reboots(config) == {"dish": "dish", "4g-psu": "stick", "module": "module"}
    boxes = {box.name: box for box in to_site(config).boxes}
    assert {name: (box.wired, box.soft, box.direct) for name, box in boxes.items()} == {
        "ont": (False, False, False),
        "bbox": (True, False, True),
        "dish": (False, True, True),
        "4g-psu": (True, True, True),
        "module": (False, True, True),
    }
    assert (boxes["module"].boot_s, boxes["module"].confirm_s) == (60.0, 60.0)


@pytest.mark.parametrize(("name", "left"), [("dish", "4g-psu module"), ("stick", "dish module")])
def test_what_may_not_be_rebooted_is_not(name, left):
    """``reboot = false`` takes the device out, and leaves its box."""
    text = ASKED.replace(f'name = "{name}"\n', f'name = "{name}"\nreboot = false\n')
    assert list(reboots(parse(text))) == left.split()


def test_a_modem_that_is_not_rebooted_is_no_box():
    """Nothing could be done to it."""
    text = ASKED.replace("boot_s = 60", "reboot = false")
    assert "module" not in [box.name for box in to_site(parse(text)).boxes]


def test_what_is_asked_is_told_without_what_is_not():
    """Without a password less is asked; without a driver that reboots nothing is promised."""
    assert [words.text() for words in asked(parse(ASKED))] == [
        (
            'modem "stick" is asked at http://192.168.8.3/ for what it tells without a login of signal, '
            "operator, SIM card, session, data of the month; may be told to reboot"
        ),
        (
            'modem "module" is asked at /dev/ttyUSB2 for signal, operator, SIM card, session; '
            "may be told to reboot"
        ),
        (
            'box "bbox" is asked at https://192.168.1.254, under the name mabbox.bytel.fr for link, '
            "internet, address, fibre; is never told to reboot"
        ),
        (
            'box "dish" is asked at http://192.168.100.1:9201/ for sky, account, update, obstruction, '
            "round trip, loss; may be told to reboot"
        ),
    ]


@pytest.mark.parametrize(
    ("api", "password"),
    [
        ("livebox", False),
        ("livebox", True),
        ("freebox", True),
        ("sfr", False),
        ("bbox", False),
        ("bbox", True),
        ("starlink", False),
    ],
)
def test_every_kind_of_box_can_be_told(api, password):
    """There are words for each, with a password and without, in both languages."""
    kind = "starlink" if api == "starlink" else "ftth"
    text = MINIMAL.replace('kind = "ftth"', f'kind = "{kind}"').replace(
        'relay = "gpio17"', f'relay = "gpio17"\napi = "{api}"\n'
    )
    (words,) = asked(parse(text + ('password_file = "box-password"\n' if password else "")))
    assert 'box "box-ftth"' in words.text("fr")
    assert words.text("fr") != words.text("en")


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
        (ASKED.replace("relay =", "label ="), "no box has a relay: only by software"),
        (ASKED, "modem stick: without a password_file"),
        (ASKED.replace('"B3", ', ""), "modem stick: bands has only 5G bands"),
        (
            ASKED.replace('password_file = "/etc/vigie/bbox"', ""),
            "box bbox: without a password_file the state",
        ),
        (
            ASKED.replace('api = "bbox"', 'api = "livebox"').replace('password_file = "/etc/vigie/bbox"', ""),
            "box bbox: without a password_file the light",
        ),
        (ASKED.replace('api = "starlink"', ""), "uplink sky: without a [[box]] with api"),
        (MINIMAL, "uplink 4g: without a [[modem]]"),
        (MINIMAL + '[box.facts]\ncontact = "no"\n', "box box-ftth: on the normally-open contact of gpio17"),
        (MINIMAL + '[site.facts]\npi_outlet = "switched"\n', "site.facts.pi_outlet: the Pi can cut"),
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


def test_devices_that_tell_all_need_no_advice():
    """A password, or a reboot that is not wanted."""
    for line in ('password_file = "stick-password"', "reboot = false"):
        assert notices(parse(ASKED.replace('driver = "hilink"', f'driver = "hilink"\n{line}'))) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "192.168.1.5", "broker.local"])
def test_a_plain_connection_within_the_site_needs_no_advice(host):
    """Only what leaves the site unencrypted is worth a word."""
    text = MQTT.replace("mqtt.example.net", host) + 'tls = false\nusername = "garage"\n'
    assert notices(parse(text)) == notices(parse(MINIMAL))
