"""Real answers of modems beside the project, brought into the form in which a driver gets them.

The files are transcripts: with remarks (``#``), with marks for what was sent (``>``, ``<-``), with lines run
together or with line ends written out. What is undone here is the transcription, nothing of the answers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import xmltodict

from hardware.at_lines import Answer, is_final

ROOT = Path(__file__).parents[1]
DEVICES = ROOT.parent / "shared" / "data" / "devices"
FOLDERS = ("at", "huawei_hilink", "other")


def sample_files() -> list[str]:
    """Every file of a cellular modem, by its path below ``devices``; none if the folder is not there."""
    return sorted(
        str(path.relative_to(DEVICES))
        for folder in FOLDERS
        for path in (DEVICES / folder).rglob("*")
        if path.is_file()
    )


def conversations(name: str) -> list[list[Answer]]:
    """The answers of an AT transcript, one list for each part that a remark begins."""
    parts: list[list[str]] = []
    for line in (DEVICES / name).read_text().splitlines():
        if line.startswith("#") or not parts:
            parts.append([])
        if not line.startswith("#"):
            parts[-1] += _as_received(line)
    return [answers for answers in map(_answers, parts) if answers]


def _as_received(line: str) -> list[str]:
    text = line.replace("\\r\\n", "\n").replace("^M", "")
    text = re.sub(r"^(<-|->|>) ?", lambda mark: "" if mark[1] == "->" else "> ", text)
    text = re.sub(r"^(AT[+^!&DHEI].*|at!.*)", r"> \1", text)
    # Several answers on one line, and the final one behind its line.
    text = re.sub(r"\s{2,}(?=[+^][A-Z])", "\n", text)
    text = re.sub(r"(?<=\S) OK$", "\nOK", text)
    return [part.strip() for part in text.split("\n") if part.strip()]


def _answers(lines: list[str]) -> list[Answer]:
    answers: list[Answer] = []
    command, body = "", list[str]()
    for line in [*lines, "> "]:
        if line.startswith("> ") or line == ">":
            if body:
                answers.append(Answer(command, tuple(body), "OK"))
            command, body = re.sub(r"\s", "", line[2:]).upper(), []
        elif is_final(line):
            answers.append(Answer(command, tuple(body), line))
            body = []
        else:
            body.append(line)
    return answers


def pages(name: str) -> dict[str, dict[str, Any]]:
    """The pages of a HiLink sample as the library gives them, by the endpoint that they come from."""
    text = (DEVICES / name).read_text()
    stem = Path(name).stem
    if name.endswith(".json"):
        body = json.loads(text)
        if "device.basic_information" in body:
            return {endpoint.replace(".", "/"): page for endpoint, page in body.items()}
        return {"device/signal": body}
    if "the stored excerpt ends here" in text:
        text += "</response>"
    body = xmltodict.parse(text, dict_constructor=dict)
    if "bodies" in body:
        return {
            re.sub("-", "/", endpoint, count=1): page["response"] for endpoint, page in body["bodies"].items()
        }
    if "error" in body:
        return {}
    match = re.match(r"(device|monitoring|webserver)_([A-Za-z-]+)", stem)
    assert match, f"{name}: no endpoint in its name"
    return {f"{match[1]}/{match[2]}": body["response"]}
