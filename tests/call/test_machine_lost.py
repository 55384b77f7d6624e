"""A whole machine is lost in the midst of a call: another one, which has never heard of it, goes on
from what Redis has."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.bedrock import BedrockEmulator, Pace
from aybiza.emulators.bedrock.continuation import text_of
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone, Progress
from aybiza.emulators.phone.script import parse
from aybiza.faults.desk import answering
from tests.actors.memory.servers import redis_server
from tests.actors.node.kit import RunningCommand, free_port, until
from tests.call.balancer import Balancer
from tests.call.caller import LIMIT
from tests.call.steps import hang_up, text
from tests.slowness import slowness

pytestmark = pytest.mark.real_time

BRIDGE = "Sorry, we were cut off for a moment."
NAME, GOOD_NAME = "My name is Ann.", "Good to know you, Ann."
ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
SECONDS = 3.0


def asked(body: dict[str, Any]) -> str:
    """What the caller has said last in a request."""
    texts = [text_of(message) for message in body["messages"] if message["role"] == "user"]
    return next(said for said in reversed(texts) if said)


async def test_a_caller_whose_machine_is_lost_hears_the_agent_go_on_from_another_one(
    tmp_path: Path,
) -> None:
    steps = [
        text(NAME, after=r"today\?"),
        text(ASK, after="Ann"),
        hang_up("from him", timeout_s=LIMIT),
    ]
    script = parse({"steps": steps}, Path("kit"), "text")
    telling = asyncio.Event()
    answers = 0

    def watch(progress: Progress) -> None:
        nonlocal answers
        if progress.kind == "agent" and "begins to answer" in progress.text:
            answers += 1
            if answers == 2:
                telling.set()

    machines = [(free_port(), free_port()), (free_port(), free_port())]
    pace = Pace(first_token_ms=50, per_delta_ms=100)
    with redis_server(tmp_path) as redis:
        async with (
            BedrockEmulator(
                responder=answering({NAME: [GOOD_NAME], ASK: [STORY]}), pace=pace
            ) as bedrock,
            DeepgramEmulator(pace=SpeakPace(0.0, 1.5)) as deepgram,
            Balancer(machines) as balancer,
        ):

            def machine(number: int) -> RunningCommand:
                http, media = machines[number]
                return RunningCommand(
                    "",
                    AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
                    AWS_ACCESS_KEY_ID="test",
                    AWS_SECRET_ACCESS_KEY="test",
                    DEEPGRAM_URL=deepgram.url,
                    DEEPGRAM_API_KEY="key",
                    AYBIZA_NODE_NAME=f"machine{number}",
                    AYBIZA_HTTP_PORT=str(http),
                    AYBIZA_MEDIA_PORT=str(media),
                    AYBIZA_PUBLIC_URL=balancer.url,
                    AYBIZA_MEMORY="redis",
                    REDIS_URL=redis.url,
                    AYBIZA_MEMORY_PATH=str(tmp_path / f"{number}" / "memory.sqlite3"),
                )

            with machine(0) as one, machine(1) as two:
                for command in (one, two):
                    await asyncio.to_thread(command.ready)
                async with Phone(script=script, http=balancer.url, on_progress=watch) as phone:
                    running = asyncio.create_task(phone.run())
                    async with asyncio.timeout(LIMIT):
                        await telling.wait()
                    # Some of the story is to be heard before.
                    await asyncio.sleep(0.3)
                    os.killpg(one.process.pid, signal.SIGKILL)
                    await asyncio.to_thread(until, lambda: not one.left(), "it is gone whole")
                    report = await running
        assert report.ok, (report.failure, report.heard_text, two.log()[-3000:])
        lost, back = report.streams[0].closed_ms, report.streams[1].opened_ms
        assert lost is not None
        heard_again = min(said.at_ms for said in report.heard if said.at_ms >= back)
        assert heard_again - lost < 1000 * SECONDS * slowness()
        heard = "".join(said.text for said in report.heard)
        before, _, after = heard.partition(f"{BRIDGE} ")
        assert (heard.count(BRIDGE), heard.count(GOOD_NAME), heard.count("today?")) == (1, 1, 1)
        assert STORY.endswith(after.strip())
        assert STORY.startswith(before.partition("Ann. ")[2])
        requests = [record.body for record in bedrock.journal.records if record.body]
        assert [asked(body) for body in requests].count(NAME) == 1
        assert text_of(requests[-1]["messages"][0]) == NAME
        assert not (tmp_path / "1" / "memory.sqlite3").exists()
