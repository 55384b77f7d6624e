"""The node's process dies in the midst of a call: the caller comes back to the next one."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from aybiza.emulators.bedrock import BedrockEmulator, Pace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone, Progress
from aybiza.emulators.phone.script import parse
from aybiza.faults.desk import answering
from tests.actors.node.kit import RunningCommand, free_port
from tests.call.caller import LIMIT
from tests.call.steps import hang_up, text

pytestmark = pytest.mark.real_time

BRIDGE = "Sorry, we were cut off for a moment."
ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)


async def test_a_call_goes_on_after_kill_9_of_its_node(tmp_path: Path) -> None:
    steps = [text(ASK, after=r"today\?"), hang_up("from him", timeout_s=LIMIT)]
    script = parse({"steps": steps}, Path("kit"), "text")
    speaking = asyncio.Event()

    def watch(progress: Progress) -> None:
        if progress.kind == "agent" and "begins to answer" in progress.text:
            speaking.set()

    pace = Pace(first_token_ms=50, per_delta_ms=100)
    async with (
        BedrockEmulator(responder=answering({ASK: [STORY]}), pace=pace) as bedrock,
        DeepgramEmulator(pace=SpeakPace(0.0, 1.5)) as deepgram,
    ):
        variables = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "DEEPGRAM_URL": deepgram.url,
            "DEEPGRAM_API_KEY": "key",
            "AYBIZA_HTTP_PORT": str(free_port()),
            "AYBIZA_MEDIA_PORT": str(free_port()),
            "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
        }
        with RunningCommand("", **variables) as command:
            info = await asyncio.to_thread(command.ready)
            first = await asyncio.to_thread(command.event, "node_up")
            async with Phone(script=script, http=info["http"], on_progress=watch) as phone:
                running = asyncio.create_task(phone.run())
                async with asyncio.timeout(LIMIT):
                    await speaking.wait()
                psutil.Process(first["pid"]).send_signal(signal.SIGKILL)
                second = await asyncio.to_thread(command.event, "node_up")
                report = await running
        assert report.ok, (report.failure, report.heard_text, command.log()[-3000:])
        assert first["pid"] != second["pid"]
        heard = "".join(said.text for said in report.heard)
        before, _, after = heard.partition(f"{BRIDGE} ")
        assert heard.count(BRIDGE) == 1
        assert STORY.startswith(before.partition("today? ")[2])
        assert STORY.endswith(after.strip())
        assert len(before.partition("today? ")[2]) + len(after) >= len(STORY)
        assert len(report.streams) >= 2
        last = [r.body for r in bedrock.journal.records if r.body][-1]
        assert last is not None
        assert last["messages"][0]["content"][0]["text"] == ASK
