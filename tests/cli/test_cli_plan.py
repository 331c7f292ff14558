"""What is printed for the front panel: the command, and sheets that tell what the LEDs really do."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.cli.plan import front, site_rows, uplink_rows
from agent.config.reader import parse
from agent.reports.panel_sheet import STRIP_S, Front, draw, places, spans
from agent.reports.pdf import HEIGHT, WIDTH, Sheets, printable, width, wrapped
from agent.sinks import lights
from agent.text import LANGUAGES, sheet
from hardware.ports import Colour
from hardware.virtual.panel import colour_at

EXAMPLE = Path(__file__).parents[2] / "agent/config/example.toml"
MM = 72 / 25.4


def example(**changes: object) -> Front:
    of_file = front(parse(EXAMPLE.read_text()))
    return Front(**{name: changes.get(name, getattr(of_file, name)) for name in Front.__slots__})  # type: ignore[arg-type]


def drawn(shown: Front, language: str = "fr") -> bytes:
    return draw(shown, uplink_rows(), site_rows(), language)


def texts(pdf: bytes) -> str:
    """All lines of a PDF, a space between two."""
    found = re.findall(rb"\((.*?)(?<!\\)\) Tj", pdf, re.DOTALL)
    plain = b" ".join(re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), text) for text in found)
    return re.sub(rb"\\(.)", rb"\1", plain).decode("cp1252").replace("\N{NO-BREAK SPACE}", " ")


def run(*arguments: str) -> int:
    return main(["plan", *arguments])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_configuration_gives_the_same_bytes(language: str, tmp_path: Path) -> None:
    """Also in another process at another time: what was printed can be compared."""
    here, there = tmp_path / "here.pdf", tmp_path / "there.pdf"
    given = ["plan", "--panel-label", "--config", str(EXAMPLE), "--lang", language, "--out"]
    assert main([*given, str(here)]) == 0
    subprocess.run([sys.executable, "-m", "agent", *given, str(there)], check=True, timeout=60)
    assert here.read_bytes() == there.read_bytes() == drawn(example(), language)
    assert here.read_bytes().startswith(b"%PDF")
    assert here.read_bytes().count(b"/Type /Page\n") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_sheet_is_on_it(language: str) -> None:
    """Each state is told with what is seen, what it means and what to do, in whole words."""
    said = texts(drawn(example(button=True), language))
    for row in [*uplink_rows(), *site_rows()]:
        for column in ("see", "means", "do"):
            text = printable(sheet(f"{row.key}.{column}", language)).replace("\N{NO-BREAK SPACE}", " ")
            assert text in said
    for name in ("Garage Martin, Lyon", "Fibre", "Starlink", "secours", "Orange", sheet("button", language)):
        assert name in said


def test_the_label_shows_what_the_configuration_has() -> None:
    """An uplink without a LED has no place; there is no site LED, screen or button that is not there."""
    text = EXAMPLE.read_text()
    text = re.sub(r"^(site|starlink) = \{.*$", "", text, flags=re.MULTILINE)
    text = text.replace('screen = "ssd1306"', 'screen = "none"').replace("\nbutton = 22", "\n# button = 22")
    shown = front(parse(text))
    assert [name for name, _ in places(shown, "fr")] == ["Fibre", "4G de secours"]
    said = texts(drawn(shown))
    assert sheet("site_dead.see", "fr") not in said
    assert sheet("site", "fr") not in said
    assert sheet("screen_first", "fr") not in said
    assert sheet("screen_first", "fr") in texts(drawn(example()))
    assert places(example(button=True), "fr")[-1] == (sheet("button", "fr"), False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", ["Fibre", "W" * 40, "Accès numéro un du bâtiment principal", "Ł漢字"])
def test_nothing_is_printed_beyond_the_edge(language: str, label: str) -> None:
    """The most uplinks with the longest names fit on the sheets, clear of where printers do not print."""
    shown = example(site=label, uplinks=((label, label),) * 6, button=True, screen=True)
    pdf = drawn(shown, language)
    found, font, size = 0, b"", 0.0
    pattern = rb"/F(\d) ([\d.]+) Tf|1 0 0 1 ([\d.-]+) ([\d.-]+) Tm \((.*?)(?<!\\)\) Tj"
    for new_font, new_size, x, y, raw in re.findall(pattern, pdf, re.DOTALL):
        if new_font:
            font, size = new_font, float(new_size)
            continue
        found += 1
        text = texts(b"(" + raw + b") Tj")
        end = float(x) / MM + width(text, size, bold=font == b"2")
        assert float(x) / MM >= 10, text
        assert end <= WIDTH - 10, text
        assert 6 <= float(y) / MM <= HEIGHT - 10, text
    assert found > 60


def test_a_strip_is_what_the_led_does() -> None:
    """The picture of a rhythm agrees with the driver's own rule at every instant of it."""
    rows = {row.key: row for row in uplink_rows()}
    patterns = {"works": lights.WORKS, "doubtful": lights.DOUBTFUL, "down": lights.DOWN}
    for key, pattern in {**patterns, "restarting": lights.RESTARTING, "unknown": lights.UNKNOWN}.items():
        lit = spans(rows[key].beats, STRIP_S)
        for step in range(800):
            at = (step + 0.5) * STRIP_S / 800
            shown = next((colour for begin, end, colour in lit if begin <= at < end), Colour.DARK)
            assert shown is colour_at(pattern, at), (key, at)
    assert spans(rows["works"].beats, STRIP_S) == [(0.0, STRIP_S, Colour.GREEN)], "steady is one block"


def test_the_winks_of_the_site_are_counted_on_the_strip() -> None:
    """Two rounds in four seconds: once, twice, three times dark; one flash while nothing is known."""
    gaps = {row.key: len(spans(row.beats, STRIP_S)) for row in site_rows()}
    assert gaps == {"site_works": 3, "site_unwell": 5, "site_down": 7, "site_starting": 2, "site_dead": 0}


def test_letters_that_the_fonts_lack_are_replaced() -> None:
    """French marks stay; others become plain, or a question mark, and never an error."""
    assert printable("Œuvre à l’été – « œil » … €") == "Œuvre à l’été – « œil » … €"
    assert printable("Żółć 漢") == "Zó?c ?"
    assert printable("e\u0301") == "é"
    Sheets("漢").finished()


def test_lines_are_broken_between_words() -> None:
    """No line but a single long word is wider than allowed, and nothing is lost."""
    text = "un deux trois quatre cinq six sept " + "W" * 30
    lines = wrapped(text, 9, 30)
    assert " ".join(lines) == text
    assert all(width(line, 9) <= 30 for line in lines[:-1])


def test_without_leds_there_is_nothing_to_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said plainly, and no file is made."""
    file, out = tmp_path / "vigie.toml", tmp_path / "out.pdf"
    file.write_text('[site]\nname = "a"\n[[uplink]]\nname = "ftth"\ninterface = "eth0"\n')
    assert run("--panel-label", "--config", str(file), "--out", str(out)) == 1
    assert "[panel.leds]" in capsys.readouterr().err
    assert not out.exists()


def test_a_bad_configuration_and_a_bad_place_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their own exit codes; no trace of Python."""
    assert run("--panel-label", "--config", str(tmp_path / "none.toml")) == 78
    assert "none.toml" in capsys.readouterr().err
    out = tmp_path / "no" / "out.pdf"
    assert run("--panel-label", "--config", str(EXAMPLE), "--out", str(out)) == 1
    assert str(out) in capsys.readouterr().err


def test_what_to_print_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one thing today, and is told which."""
    with pytest.raises(SystemExit) as ended:
        run("--config", str(EXAMPLE))
    assert ended.value.code == 2
    assert "--panel-label" in capsys.readouterr().err


def test_without_the_library_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Pi does not need it; who prints there is told how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run("--panel-label", "--config", str(EXAMPLE), "--out", str(tmp_path / "a.pdf")) == 2
    assert "pip install" in capsys.readouterr().err


def test_the_daemon_never_loads_the_library() -> None:
    """Only drawing does, not even the command's own start."""
    program = "import sys, agent.app, agent.cli.plan, agent.cli.run; print('reportlab' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
