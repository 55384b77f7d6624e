"""Several nodes of a cluster on one loop, with their providers, and callers of them.

    async with site(tmp_path, "one", "two") as place:
        report = await call(place, "one")
        assert heard(report) == HEARD

Each node has a memory of its own, as on a machine of its own. A caller asks `ASKED` and is told
`TOLD`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aybiza.config.agents import Agent
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.node import Node
from aybiza.emulators.bedrock import BedrockEmulator, Reply
from aybiza.emulators.bedrock import Pace as BedrockPace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone, Report
from aybiza.faults.desk import answering
from tests.actors.cluster.kit import LoopCarrier, Network, card
from tests.call.caller import LIMIT
from tests.call.kit import AGENT, GREETING, Desk
from tests.call.steps import Step, hang_up, script_of, text

ASKED = ("How are you?", "Where are you?", "What is the time?", "And the weather?", "Thank you.")
TOLD = ("I am well.", "I am here at the desk.", "It is noon.", "The sun shines.", "Goodbye then.")
ANSWERS = {asked: [told] for asked, told in zip(ASKED, TOLD, strict=True)}
HEARD = " ".join((GREETING, *TOLD)) + " "
AFTER = (r"today\?\s*$", *(told.replace(".", r"\.\s*$") for told in TOLD))


class Site:
    """Nodes on one loop, each with a memory of its own, joined in a cluster."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str], agent: Agent, deepgram: DeepgramEmulator
    ) -> None:
        self.nodes: dict[str, Node] = {}
        self.deepgram = deepgram
        self._agent = agent
        self._folder = folder
        self._settings = settings
        self._network = Network()
        self._started = 0

    async def start(self, name: str, **variables: str) -> Node:
        """Start a node; one of this name may have been there before."""
        self._started += 1
        memory = {"AYBIZA_MEMORY_PATH": str(self._folder / f"{name}.sqlite3")}
        settings = load({"AYBIZA_NODE_NAME": name, **memory, **self._settings, **variables})
        carrier = LoopCarrier(self._network, card(self._started, name, machine=name))
        node = Node(settings, self._agent, Desk(), carrier)
        self.nodes[name] = await node.__aenter__()
        return node

    async def stop(self, name: str) -> None:
        """Stop a node in order."""
        await self.nodes.pop(name).__aexit__(None, None, None)

    async def ask(self, name: str, **request: Any) -> dict[str, Any]:
        """What a node answers to a command."""
        return await control(self.nodes[name].vm, request)

    async def drained(self, name: str, seconds: float, *, by: str = "") -> dict[str, Any]:
        """Drain the node, asked `by` another; how that went."""
        by = by or name
        await self.ask(by, op="drain", node=name, seconds=seconds)
        async with asyncio.timeout(LIMIT):
            while True:
                answer = await self.ask(by, op="drain_progress", node=name)
                progress: dict[str, Any] = answer["progress"]
                if progress["state"] == "drained":
                    return progress
                await asyncio.sleep(0.02)


@asynccontextmanager
async def site(
    folder: Path,
    *names: str,
    agent: Agent = AGENT,
    answers: Mapping[str, Sequence[Reply | str]] | None = None,
    voice_speed: float = 10.0,
    **variables: str,
) -> AsyncIterator[Site]:
    """A site with these nodes, and their providers; `variables` are settings of all nodes."""
    async with (
        BedrockEmulator(
            responder=answering({**ANSWERS, **(answers or {})}),
            pace=BedrockPace(first_token_ms=20),
            seed=1,
        ) as bedrock,
        DeepgramEmulator(pace=SpeakPace(0.0, voice_speed)) as deepgram,
    ):
        settings = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "DEEPGRAM_URL": deepgram.url,
            "DEEPGRAM_API_KEY": "key",
            "AYBIZA_HTTP_PORT": "0",
            "AYBIZA_MEDIA_PORT": "0",
            "BEDROCK_POOL_SIZE": "32",
            # Each call is to ask the model, whatever was asked before.
            "EDGE_CACHE_ENABLED": "false",
            # A machine that runs other tests too is late.
            "AYBIZA_MAX_LOOP_LAG_MS": "10000",
            **variables,
        }
        place = Site(folder, settings, agent, deepgram)
        try:
            for name in names:
                await place.start(name)
            yield place
        finally:
            for name in list(place.nodes):
                await place.stop(name)


QUESTIONS = tuple(text(words, after=after) for words, after in zip(ASKED, AFTER, strict=False))


async def call(place: Site, name: str, *steps: Step) -> Report:
    """A caller who comes in by this node and does these steps, by default asks all questions."""
    steps = steps or (*QUESTIONS, hang_up(after=AFTER[-1]))
    script = script_of([{"timeout_s": LIMIT, **step} for step in steps])
    async with Phone(script=script, http=place.nodes[name].http_url) as phone:
        return await phone.run()


def heard(report: Report) -> str:
    """All that the caller has heard, but for words of comfort on a machine that is busy."""
    return "".join(said.text for said in report.heard).replace(f"{AGENT.filler} ", "")
