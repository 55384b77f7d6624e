"""A whole node with its providers, and telephones that call it: what tests of calls stand on.

Everything is real but the providers and the telephone, and the wire to those is real too. Callers
and voices speak text (`aybiza.emulators.textaudio`), so what was heard is an exact string.

    async with world(tmp_path, answers=ANSWERS) as place:
        async with place.call(text("Hello."), hang_up("Goodbye")) as call:
            await call.until(lambda: call.is_speaking(1, 1))
            place.kill(names.call(call.call_id))
            report = await call.over()
        assert call.heard == …
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aybiza.actors.runtime import KILL, VM, Dest, Pid
from aybiza.config.agents import Agent
from aybiza.config.settings import load
from aybiza.console.node import Node
from aybiza.dialogue.toolbox import Effect, ToolRun
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock import Pace as BedrockPace
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.messages import new_sid
from aybiza.faults.desk import Answers, answering
from tests.call.caller import LIMIT, POLL_SECONDS, Call, Condition
from tests.call.steps import Step, script_of

GREETING = "Welcome to the front desk, how can I help you today?"

AGENT = Agent(
    name="Desk",
    system_prompt="You answer the telephone.",
    greeting=GREETING,
    silence_prompt="Are you still there?",
    error="Sorry, could you say that again?",
    bridge="Sorry, we were cut off.",
    ask_again="What did you say?",
    closing="Thank you for calling. Goodbye.",
    filler="One moment, please.",
    endpointing_ms=150,
)


def agent(**changes: Any) -> Agent:
    """The agent of these tests, with these fields changed."""
    return AGENT.model_copy(update=changes)


class Desk:
    """A toolbox: `look_up` takes `seconds`, or for ever; `break_down` fails; `end_call` ends."""

    def __init__(self, seconds: float | None = 0.25) -> None:
        self.seconds = seconds
        self.running: set[str] = set()
        self.runs: list[ToolRun] = []

    def specs(self) -> list[dict[str, Any]]:
        schema = {"json": {"type": "object", "properties": {"what": {"type": "string"}}}}
        return [
            {"toolSpec": {"name": name, "description": name, "inputSchema": schema}}
            for name in ("look_up", "break_down", "end_call")
        ]

    def effect(self, name: str) -> Effect:
        return "end_call" if name == "end_call" else "none"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        self.runs.append(use)
        self.running.add(use.call_id)
        try:
            if use.name == "break_down":
                raise RuntimeError("broken on purpose")
            if use.name == "look_up":
                await asyncio.sleep(3600.0 if self.seconds is None else self.seconds)
        finally:
            self.running.discard(use.call_id)
        return {"found": True}


class World:
    """A node and its providers; see the module. `idle`: the `labels` of a node without calls."""

    def __init__(
        self, bedrock: BedrockEmulator, deepgram: DeepgramEmulator, node: Node, desk: Desk
    ) -> None:
        self.bedrock = bedrock
        self.deepgram = deepgram
        self.node = node
        self.desk = desk
        self.memory_path = Path()
        self._stopped = False
        self.idle = self.labels()

    @property
    def vm(self) -> VM:
        return self.node.vm

    @asynccontextmanager
    async def call(self, *steps: Step, direct: bool = False, **phone: Any) -> AsyncIterator[Call]:
        """A caller who does `steps`; by the webhook, or `direct`ly on the media websocket."""
        call_id = phone.pop("call_sid", None) or new_sid("CA")
        script = script_of([{"timeout_s": LIMIT, **step} for step in steps])
        where: dict[str, Any] = (
            {"url": self.node.media_url} if direct else {"http": self.node.http_url}
        )
        async with Phone(script=script, call_sid=call_id, **where, **phone) as telephone:
            call = Call(self, telephone, call_id)
            call.begin()
            try:
                yield call
            finally:
                assert call._task is not None
                call._task.cancel()
                await asyncio.gather(call._task, return_exceptions=True)

    async def stop(self) -> None:
        """Stop the node in order, before the world ends."""
        if not self._stopped:
            self._stopped = True
            await self.node.__aexit__(None, None, None)

    def kill(self, dest: Dest) -> Pid:
        """Kill the process at `dest`; returns who it was."""
        pid = self.vm.whereis(dest)
        assert pid is not None, f"there is no {dest}"
        self.vm.exit(pid, KILL)
        return pid

    async def restart(self, name: Dest) -> Pid:
        """Kill the process of this name and wait until another has it; returns the new one."""
        killed = self.kill(name)
        await self.until(lambda: self.vm.whereis(name) not in (None, killed))
        back = self.vm.whereis(name)
        assert back is not None
        return back

    def crash(self, dest: Dest) -> Pid:
        """Have the process at `dest` crash by itself, in a callback; returns who it was."""
        pid = self.vm.whereis(dest)
        assert pid is not None, f"there is no {dest}"
        self.vm.cast(pid, "no clause fits this")
        return pid

    def kill_breakers(self) -> None:
        """Every model may be asked again."""
        for pid in self.vm.processes():
            process = self.vm.find(pid)
            if process is not None and process.label == "CircuitBreakerActor":
                self.vm.exit(pid, KILL)

    def requests(self, call_id: str) -> list[Record]:
        """What was asked of the model for a call, oldest first."""
        return [r for r in self.bedrock.journal.records if call_id in r.call.values()]

    def sockets(self) -> int:
        """How many sockets are open at Deepgram."""
        entries = self.deepgram.journal.entries
        return len(entries("connected")) - len(entries("disconnected"))

    def labels(self) -> list[str]:
        """What all living processes are, in order of their names."""
        processes = [self.vm.find(pid) for pid in self.vm.processes()]
        return sorted(process.label for process in processes if process)

    async def until(self, condition: Condition, within: float = LIMIT, what: str = "") -> None:
        """Wait until `condition` holds."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, what or f"waited in vain: {self.labels()}"
            await asyncio.sleep(POLL_SECONDS)


async def side_by_side(
    run: Callable[[str], Coroutine[Any, Any, None]], names: Iterable[str]
) -> None:
    """Do `run` with all the names at once; those that fail are told together, by name."""

    async def named(name: str) -> None:
        try:
            await run(name)
        except Exception as error:
            error.add_note(name)
            raise

    outcomes = await asyncio.gather(*map(named, names), return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(outcomes)} failed", failed)


@asynccontextmanager
async def world(
    tmp_path: Path,
    *,
    answers: Answers | None = None,
    agent: Agent = AGENT,
    desk: Desk | None = None,
    thinks_ms: float = 0.0,
    delta_ms: float = 0.0,
    voice_speed: float = 10.0,
    **variables: str,
) -> AsyncIterator[World]:
    """A world with a model that gives `answers`; `variables` are settings by environment names.

    `thinks_ms`: until the model's first token; `delta_ms`: between its pieces of text;
    `voice_speed`: how many times faster than real time speech is synthesised.
    """
    desk = desk or Desk()
    async with (
        BedrockEmulator(
            responder=answering(answers or {}),
            pace=BedrockPace(first_token_ms=thinks_ms, per_delta_ms=delta_ms),
            seed=1,
        ) as bedrock,
        DeepgramEmulator(pace=SpeakPace(0.0, voice_speed)) as deepgram,
    ):
        settings = load(
            {
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
                # Each call is to ask the model, whatever was asked before.
                "EDGE_CACHE_ENABLED": "false",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "DEEPGRAM_URL": deepgram.url,
                "DEEPGRAM_API_KEY": "key",
                "AYBIZA_HTTP_PORT": "0",
                "AYBIZA_MEDIA_PORT": "0",
                "AYBIZA_NODE_NAME": "test",
                "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
                "BEDROCK_POOL_SIZE": "64",
                "AYBIZA_KEEP_PHRASES": "false",
                # A machine that runs other tests too is late.
                "AYBIZA_MAX_LOOP_LAG_MS": "10000",
                **variables,
            }
        )
        node = await Node(settings, agent, desk).__aenter__()
        place = World(bedrock, deepgram, node, desk)
        place.memory_path = settings.memory_path
        try:
            yield place
        finally:
            await place.stop()
