"""The shipped configurations, the documentation, and the schema say the same."""

from __future__ import annotations

import re
import string
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from msgspec import inspect

from agent.config.asked import DISH_PORT
from agent.config.derived import USUAL_ADDRESSES
from agent.config.forms import RELAY_PINS, relay
from agent.config.forms_outside import ALL_FORMS
from agent.config.keys import bounds, keys_of, plain, schema
from agent.config.notices import notices
from agent.config.reader import parse
from agent.config.rules_panel import SPI_WIRES
from agent.config.words import table
from hardware.bbox import ENDPOINT as BBOX
from hardware.huawei import HuaweiModem
from hardware.pins import RELAY_PINS as HARDWARE_PINS
from hardware.pins import SPI_DATA_PIN, SPI_RESET_PIN
from hardware.relays import parse_relay
from hardware.starlink import DISH

FOLDER = Path(str(resources.files("agent.config")))
EXAMPLE = (FOLDER / "example.toml").read_text(encoding="utf-8")
MINIMAL = (FOLDER / "minimal.toml").read_text(encoding="utf-8")
DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def sections() -> dict[str, dict]:
    """Keys of every section, by its header; LEDs and facts are sections of their own."""
    found = {}
    for key in keys_of(schema()).values():
        node = key.type
        if isinstance(node, inspect.VarTupleType):
            node, _ = plain(node.item_type)
        found[key.section] = keys_of(node)
        facts = found[key.section].pop("facts", None)
        if facts is not None:
            found[f"[{key.name}.facts]"] = keys_of(facts.type)
    leds, _ = plain(found["[panel]"]["leds"].type.value_type)
    found["[panel.leds]"] = keys_of(leds)
    found["[mqtt.second]"] = keys_of(found["[mqtt]"]["second"].type)
    return found


KEYS = [
    (section, name) for section, keys in sections().items() for name in keys if name not in ("leds", "second")
]


def blocks(text: str, header: re.Pattern[str]) -> dict[str, str]:
    """The text that follows each header."""
    parts = header.split(text)
    found: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        found[name] = found.get(name, "") + body
    return found


EXAMPLE_BLOCKS = blocks(EXAMPLE, re.compile(r"^(\[\[?[a-z.]+\]\]?)$", re.MULTILINE))
DOCUMENTED_BLOCKS = blocks(DOCUMENTATION, re.compile(r"^## `(\[\[?[a-z.]+\]\]?)`.*$", re.MULTILINE))


def test_the_example_is_a_good_configuration_without_advice():
    """What people copy has no mistake, and nothing to be advised on."""
    assert notices(parse(EXAMPLE)) == []


def test_the_example_with_its_commented_keys_is_good_too():
    """Keys that stand behind a # can be switched on as they are."""
    live = re.sub(r"^# ([a-z_]+ = )", r"\1", EXAMPLE, flags=re.MULTILINE)
    config = parse(live)
    assert (config.uplink[0].gateway, config.uplink[0].source) == ("192.168.1.1", "192.168.1.10")
    assert config.mqtt is not None
    assert config.mqtt.ca_file == "/etc/vigie/ca.pem"


def test_the_minimal_file_has_two_uplinks_and_fits_on_one_screen():
    """A technician sees the whole of a working file at once, on 24 lines of 100 columns."""
    assert [uplink.name for uplink in parse(MINIMAL).uplink] == ["ftth", "4g"]
    assert len(MINIMAL.splitlines()) <= 24
    assert max(len(line) for line in MINIMAL.splitlines()) <= 110


@pytest.mark.parametrize(("section", "name"), KEYS)
def test_every_key_stands_in_the_example(section, name):
    """The example is complete: each key, in its section, live or behind a #, as an alternative perhaps."""
    pattern = rf"\b{name} = " if section == "[panel.leds]" else rf"^(# (or: )?)?{name} = "
    assert re.search(pattern, EXAMPLE_BLOCKS[section], re.MULTILINE)


@pytest.mark.parametrize(("section", "name"), KEYS)
def test_every_key_is_documented_with_its_range(section, name):
    """The documentation has a row for each key, and the row has the limits that the reader holds."""
    row = next(
        (line for line in DOCUMENTED_BLOCKS[section].splitlines() if line.startswith(f"| `{name}` |")), ""
    )
    assert row
    key = sections()[section][name]
    node = key.type
    if isinstance(node, inspect.VarTupleType):
        assert f"{node.min_length} to {node.max_length}" in row
        node, _ = plain(node.item_type)
    if isinstance(node, inspect.IntType | inspect.FloatType):
        low, high = bounds(node)
        shown = "0x3C or 0x3D" if key.extra.get("base") == 16 else f"{low:g} to {high:g}"
        assert shown in row
    if isinstance(node, inspect.LiteralType):
        assert all(f"`{value}`" in row for value in node.values)
    assert ("required" in row) is key.needed


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCUMENTATION, re.DOTALL))
def test_toml_in_the_documentation_is_toml(block):
    """What is copied from the documentation parses."""
    assert tomllib.loads(block)


def test_every_message_has_both_languages_with_the_same_holes():
    """A hole that one language lacks would hide a limit from its readers."""
    for key, languages in table().items():
        assert sorted(languages) == ["en", "fr"], key
        holes = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for text in languages.values()
        ]
        assert holes[0] == holes[1], key


def test_every_form_of_the_schema_has_its_rule():
    """A text key cannot be added without saying what it must look like."""
    strings = [
        key.extra.get("form")
        for keys in sections().values()
        for key in keys.values()
        if isinstance(key.type, inspect.StrType)
    ]
    assert set(strings) <= set(ALL_FORMS)


def test_devices_are_asked_where_their_drivers_expect_them():
    """What is derived and told is what the drivers use, known here without loading them."""
    assert (DISH.host, DISH.port) == (USUAL_ADDRESSES["starlink"], DISH_PORT)
    assert BBOX.host == USUAL_ADDRESSES["bbox"]
    assert BBOX.tls is not None
    assert BBOX.tls.name in table()["asked_bbox"]["en"]
    with HuaweiModem() as modem:
        assert modem.url == f"http://{USUAL_ADDRESSES['hilink']}/"


@pytest.mark.parametrize(
    "spec",
    [
        "gpio9",
        "gpio09",
        "gpio27",
        "gpio8",
        "gpio28",
        "gpio0",
        "gpio",
        "GPIO17",
        "gpio17 ",
        "virtual:/a b/c#d_e-F",
        "virtual:/a#",
        "virtual:a#b",
        "virtual:/a#b#c",
        "virtual:/a\nb#c",
        "gpio1777",
        "gpio१७",
        "",
    ],
)
def test_relays_are_named_as_the_hardware_names_them(spec):
    """The configuration accepts exactly the relays that the hardware can open, without loading it."""
    assert RELAY_PINS == HARDWARE_PINS
    try:
        parse_relay(spec)
    except ValueError:
        assert relay(spec) is not None
    else:
        assert relay(spec) is None


def test_a_screen_on_spi_has_the_wires_that_the_driver_takes():
    """No relay, LED or button is let onto them."""
    assert (SPI_DATA_PIN, SPI_RESET_PIN) == SPI_WIRES
