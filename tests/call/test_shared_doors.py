"""A node a core behind one pair of ports: one of them dies, drains and comes back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from aybiza.actors.node import client
from aybiza.benchmarks.stranger import SlowVoice
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock import Pace as BedrockPace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.report import Report
from aybiza.emulators.phone.script import parse
from aybiza.faults.desk import answering
from tests.actors.node.kit import RunningCommand, ask_node, cookie, free_port
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
SCRIPT = parse(
    {"steps": [text(ASK, after=r"today\?"), hang_up("from him", timeout_s=LIMIT)]},
    Path("kit"),
    "text",
)
CALLS = 4


async def until(condition: Callable[[], Any]) -> Any:
    async with asyncio.timeout(LIMIT):
        while not (value := await asyncio.to_thread(condition)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return value


def carried(command: RunningCommand) -> dict[str, int]:
    """How many calls each node carries."""
    members = ask_node(command.port, {"op": "members"})["members"]
    return {each["node"]: each["load"]["calls"] for each in members if each.get("load")}


def settled(calls: dict[str, int]) -> dict[str, int]:
    """The calls of the nodes, when each has some and expects none that is elsewhere."""
    return calls if sum(calls.values()) == CALLS and min(calls.values()) > 0 else {}


def asked(phone: Phone) -> bool:
    """Whether the caller has asked, and is being answered."""
    return hasattr(phone, "report") and "lighthouse" in phone.report.heard_text


async def talk(phone: Phone) -> Report:
    async with phone:
        return await phone.run()


async def test_the_calls_of_one_process_outlive_the_other_s_death(tmp_path: Path) -> None:
    async with (
        BedrockEmulator(
            responder=answering({ASK: [STORY]}), pace=BedrockPace(first_token_ms=50)
        ) as bedrock,
        DeepgramEmulator(pace=SpeakPace(0.0, 1.5)) as deepgram,
    ):
        deepgram.service.engine = SlowVoice()
        variables = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "DEEPGRAM_URL": deepgram.url,
            "DEEPGRAM_API_KEY": "key",
            "AYBIZA_HTTP_PORT": str(free_port()),
            "AYBIZA_MEDIA_PORT": str(free_port()),
            "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
            "AYBIZA_MAX_LOOP_LAG_MS": "10000",
            # Webhooks are signed and streams have tokens, which any of the nodes may be shown.
            "TWILIO_AUTH_TOKEN": "a-token-of-the-tests",
        }
        with RunningCommand("", "--name", "n", "--cores", "2", **variables) as command:
            info = (await asyncio.to_thread(command.ready))["nodes"]
            http = info[0]["shared_http"]
            assert [node["shared_http"] for node in info] == [http, http]
            assert len({node["http"] for node in info} | {http}) == 3
            pids = {node["node"]: node["pid"] for node in info}

            def phone() -> Phone:
                return Phone(script=SCRIPT, http=http, auth_token=variables["TWILIO_AUTH_TOKEN"])

            await until(lambda: len(carried(command)) == 2)
            phones = [phone() for _ in range(CALLS)]
            calls = []
            for each in phones:
                calls.append(asyncio.create_task(talk(each)))
                await asyncio.sleep(0.4)
            await until(lambda: all(asked(each) for each in phones))
            before = await until(lambda: settled(carried(command)))
            psutil.Process(pids["n-1"]).send_signal(signal.SIGKILL)
            reports = await asyncio.gather(*calls)
            assert [report.failure for report in reports] == [""] * CALLS, command.log()[-3000:]
            spared = [report for report in reports if BRIDGE not in report.heard_text]
            assert len(spared) == before["n-2"]
            assert all(len(report.streams) == 1 for report in spared)

            await until(lambda: len(carried(command)) == 2)
            kept = client.list_nodes(command.port, cookie=cookie())
            now = {each["node"]: each["pid"] for each in kept}
            assert now["n-2"] == pids["n-2"] and now["n-1"] != pids["n-1"]

            begin = {"op": "drain", "node": "n-2", "seconds": 0}
            await asyncio.to_thread(ask_node, command.port, begin)
            async with httpx.AsyncClient(timeout=LIMIT) as browser:
                ready = [(await browser.get(f"{http}/readyz")).text for _ in range(4)]
                assert ready == ["ready\n"] * 4
                own = {node["node"]: node["http"] for node in info}
                assert (await browser.get(f"{own['n-2']}/readyz")).text == "draining\n"
            last = asyncio.create_task(talk(phone()))
            await until(lambda: carried(command).get("n-1") == 1)
            assert (await last).ok
            command.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(command.wait) == 0
