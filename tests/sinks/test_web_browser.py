"""The page in a real browser: what its script does, and that the policy lets it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MONO, make_scenes

from agent.core.codes import Code
from agent.core.snapshot_types import Snapshot
from agent.sinks.web.document import policy
from agent.sinks.web.server import TEXT, Answer, Server, listen
from agent.sinks.web.sink import WebSettings, WebSink
from agent.text import words

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def seen(folder: Path, handler: Callable[[str], Answer], virtual_ms: int, *options: str) -> str:
    """The document as the browser has it after so many milliseconds of its own time."""

    async def run() -> bytes:
        with listen("127.0.0.1", 0) as listener:
            serving = asyncio.create_task(Server(handler, set(), policy()).run(listener))
            process = await asyncio.create_subprocess_exec(
                *(CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"),
                *(f"--virtual-time-budget={virtual_ms}", *options, "--dump-dom"),
                f"http://127.0.0.1:{listener.getsockname()[1]}/fr",
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            out, _ = await process.communicate()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            return out

    return asyncio.run(run()).decode()


class Story:
    """Answers with one scene after the other, the last for ever; None is an agent that is gone."""

    def __init__(self, *snapshots: Snapshot | None) -> None:
        self.left = list(snapshots)
        self.asked = 0

    def __call__(self, path: str) -> Answer:
        if path != "/fr":
            return Answer(404, TEXT, b"")
        self.asked += 1
        snapshot = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if snapshot is None:
            raise ConnectionResetError
        sink = WebSink(WebSettings("", 8080, (), "fr", "x"), [], lambda: MONO)
        sink.take(snapshot)
        return sink.answer(path)


def short(code: Code) -> str:
    return words(code, "fr", {}).short


def test_the_page_follows_the_site_by_itself(tmp_path: Path) -> None:
    """Without being loaded anew it shows what is the matter now, and does not call itself dead."""
    scenes = make_scenes()
    story = Story(scenes["all_well"], scenes["box_hung"])
    document = seen(tmp_path, story, 8000)
    assert story.asked >= 2
    assert f"<span>{short(Code.BOX_HUNG)}</span>" in document
    assert f"<span>{short(Code.ALL_WELL)}</span>" not in document
    assert 'class="gone"' not in document


def test_the_page_of_a_dead_agent_says_so_itself(tmp_path: Path) -> None:
    """After a quarter of a minute without an answer, in its body and in the title of its window."""
    document = seen(tmp_path, Story(make_scenes()["all_well"], None), 25_000)
    assert '<html lang="fr" class="gone">' in document
    assert "<title>✗ Vigie ne répond plus" in document


def test_the_page_of_a_stuck_agent_says_so_too(tmp_path: Path) -> None:
    """An answer that is no success is no sign of life."""
    well = Story(make_scenes()["all_well"])

    def answer(path: str) -> Answer:
        return well(path) if well.asked == 0 else Answer(503, TEXT, b"")

    assert 'class="gone"' in seen(tmp_path, answer, 25_000)


def test_a_dead_agent_comes_back(tmp_path: Path) -> None:
    """The page is alive again with the first answer."""
    well = make_scenes()["all_well"]
    document = seen(tmp_path, Story(well, None, None, None, None, well), 40_000)
    assert 'class="gone"' not in document
    assert short(Code.ALL_WELL) in document


def test_the_countdown_runs_between_two_answers(tmp_path: Path) -> None:
    """From 1:20 downwards."""
    document = seen(tmp_path, Story(make_scenes()["restarting_boot"]), 3500)
    assert re.search(r'data-left="80">1:1\d<', document)
