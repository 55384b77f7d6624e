"""`isolation = "process"`: each call in an OS process of its own, which ends with it."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from aybiza.actors.node import client
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock import Pace as BedrockPace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone, Report
from aybiza.faults.desk import answering
from tests.actors.node.kit import LIMIT, RunningCommand, cookie
from tests.call.steps import hang_up, script_of, text

pytestmark = pytest.mark.real_time

BRIDGE = "Sorry, we were cut off for a moment."
ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
SCRIPT = script_of(
    [text(ASK, after=r"today\?", timeout_s=LIMIT), hang_up("from him", timeout_s=LIMIT)]
)


def call_nodes(command: RunningCommand) -> dict[str, tuple[int, int]]:
    """The one-call nodes that are up: by their media URLs, pid and number of starts."""
    kept = client.list_nodes(command.port, LIMIT, cookie=cookie())
    return {
        each["doors"]["media"]: (each["pid"], each["start"])
        for each in kept
        if "-call-" in each["node"] and each["phase"] == "up"
    }


def rooms(command: RunningCommand) -> int:
    """How many one-call nodes the gateway node knows."""
    request = {"op": "members"}
    answer = client.ask_node(command.port, request, LIMIT, cookie=cookie(), node="front")
    return int(answer["members"][0]["load"]["max_calls"])


async def until(condition: Any) -> Any:
    """The first true value of a blocking condition."""
    async with asyncio.timeout(LIMIT):
        while not (value := await asyncio.to_thread(condition)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return value


async def talk(phone: Phone) -> Report:
    async with phone:
        return await phone.run()


async def test_a_call_s_process_dies_alone_and_ends_with_its_call(tmp_path: Path) -> None:
    async with (
        BedrockEmulator(
            responder=answering({ASK: [STORY]}), pace=BedrockPace(first_token_ms=50)
        ) as bedrock,
        DeepgramEmulator(pace=SpeakPace(0.0, 1.5)) as deepgram,
    ):
        variables = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "DEEPGRAM_URL": deepgram.url,
            "DEEPGRAM_API_KEY": "key",
            "AYBIZA_HTTP_PORT": "0",
            "AYBIZA_MEDIA_PORT": "0",
            "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
            "AYBIZA_MAX_LOOP_LAG_MS": "10000",
            "AYBIZA_ISOLATION": "process",
            "AYBIZA_ISOLATED_CALLS": "3",
        }
        with RunningCommand("", "--name", "front", **variables) as command:
            info = await asyncio.to_thread(command.ready)
            http = next(node["http"] for node in info["nodes"] if node["node"] == "front")
            await until(lambda: rooms(command) == 3)
            before = await asyncio.to_thread(call_nodes, command)
            phones = [Phone(script=SCRIPT, http=http) for _ in range(2)]
            calls = [asyncio.create_task(talk(phone)) for phone in phones]
            async with asyncio.timeout(LIMIT):
                while not all(hasattr(p, "report") and p.report.heard_text for p in phones):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            killed, spared = (phone.report.streams[0].url for phone in phones)
            assert killed != spared
            psutil.Process(before[killed][0]).send_signal(signal.SIGKILL)
            first, second = await asyncio.gather(*calls)
            assert first.ok and second.ok, (first.failure, second.failure, command.log()[-3000:])
            assert len(second.streams) == 1
            assert BRIDGE not in second.heard_text
            assert BRIDGE in first.heard_text
            assert first.heard_text.rstrip().endswith(STORY.rpartition(". ")[2])
            assert first.streams[-1].url not in (killed, info["nodes"][0]["media"])

            def renewed() -> bool:
                pids = {pid for pid, _ in call_nodes(command).values()}
                used = {before[killed][0], before[spared][0]}
                return len(pids) == 3 and not pids & used

            await until(lambda: renewed() and rooms(command) == 3)
            third = await talk(Phone(script=SCRIPT, http=http))
            assert third.ok, third.failure
            lines = [json.loads(line) for line in command.log().splitlines()]
            ended = [each for each in lines if each["event"] == "node_down" and "pid" in each]
            assert [each["pid"] for each in ended] == [before[killed][0]]
            command.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(command.wait) == 0
