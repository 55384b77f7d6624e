"""The emulator, a real Bedrock client to it, and a caller who talks with the front desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.tool_run import ToolRun
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock.reply import Text
from aybiza.emulators.bedrock.responder import respond
from tests.clinic import NAMES, clinic, done

MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


@cache
def session() -> boto3.Session:
    return boto3.Session("test", "test", region_name="us-east-1")


class Bedrock:
    """boto3's client, its blocking calls in threads, bounded in time."""

    def __init__(self, url: str) -> None:
        config = Config(
            connect_timeout=60,
            read_timeout=1.5,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        self.client: Any = session().client("bedrock-runtime", endpoint_url=url, config=config)

    async def stream(self, text: str = "hello", **request: Any) -> list[dict[str, Any]]:
        """All events of a ConverseStream."""
        events: list[dict[str, Any]] = await self.run(self.read_stream, self.request(text, request))
        return events

    async def converse(self, text: str = "hello", **request: Any) -> dict[str, Any]:
        """The answer of a Converse."""
        arguments = self.request(text, request)
        answer: dict[str, Any] = await self.run(lambda: self.client.converse(**arguments))
        return answer

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async with asyncio.timeout(60):
            return await asyncio.to_thread(function, *arguments)

    def request(self, text: str, request: dict[str, Any]) -> dict[str, Any]:
        messages = [{"role": "user", "content": [{"text": text}]}]
        return {"modelId": MODEL, "messages": messages, **request}

    def read_stream(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        stream = self.client.converse_stream(**request)["stream"]
        try:
            return list(stream)
        finally:
            stream.close()


def text_of(events: list[dict[str, Any]]) -> str:
    """The text that a stream's events add up to."""
    deltas = (e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e)
    return "".join(delta.get("text", "") for delta in deltas)


@pytest.fixture
def event_text() -> Callable[[list[dict[str, Any]]], str]:
    return text_of


@pytest.fixture
async def emulator() -> AsyncIterator[BedrockEmulator]:
    async with BedrockEmulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def bedrock(emulator: BedrockEmulator) -> Iterator[Bedrock]:
    bedrock = Bedrock(emulator.url)
    yield bedrock
    bedrock.client.close()


@dataclass
class Caller:
    """Talks with the front desk, which uses the clinic's real tools. `used`: those that ran;
    `asked`: what the desk has said last."""

    number: str = "+14155550123"
    tools: tuple[str, ...] = NAMES
    box: ToolRegistry = field(default_factory=clinic)
    gate: ConsentGate = field(default_factory=ConsentGate)
    messages: list[dict[str, Any]] = field(default_factory=list)
    used: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: str = ""

    def request(self) -> dict[str, Any]:
        specs = [s for s in self.box.specs() if s["toolSpec"]["name"] in self.tools]
        return {"messages": self.messages, **({"toolConfig": {"tools": specs}} if specs else {})}

    def say(self, text: str) -> str:
        """Say something; what the desk says until it has nothing more to look up."""
        self.messages.append({"role": "user", "content": [{"text": text}]})
        said: list[str] = []
        for _ in range(5):
            reply = respond(self.request())
            content: list[dict[str, Any]] = []
            results: list[dict[str, Any]] = []
            for block in reply.blocks:
                if isinstance(block, Text):
                    said.append(block.text)
                    content.append({"text": block.text})
                    continue
                assert not hasattr(block, "redacted")
                use_id = f"use{len(self.messages)}"
                result = self._result(block, use_id, text)
                content.append(
                    {"toolUse": {"toolUseId": use_id, "name": block.name, "input": block.input}}
                )
                answer = {"toolUseId": use_id, "content": [{"json": result}]}
                results.append({"toolResult": answer})
            self.messages.append({"role": "assistant", "content": content})
            if not results:
                self.asked = " ".join(said)
                return self.asked
            self.messages.append({"role": "user", "content": results})
        raise AssertionError("the desk never stops using tools")

    def _result(self, block: Any, use_id: str, said: str) -> dict[str, Any]:
        tool = next(each for each in self.box.tools if each.name == block.name)
        turn = sum("text" in m["content"][0] for m in self.messages if m["role"] == "user")
        run = ToolRun(block.name, use_id, block.input, "call", self.number, turn, said, self.asked)
        if tool.effect == "write" and not self.gate.agreed(block.name, block.input, run):
            return self.gate.ask(block.input, run)
        self.used.append((block.name, block.input))
        result: dict[str, Any] = done(tool, run)
        return result

    def talk(self, *texts: str) -> str:
        """Say one thing after the other; what the desk said last."""
        return [self.say(text) for text in texts][-1]

    def used_tools(self) -> list[str]:
        return [name for name, _ in self.used]


@pytest.fixture
def caller() -> Caller:
    return Caller()
