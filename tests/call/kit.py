"""A whole node with its providers, and telephones that call it: what tests of calls stand on.

Everything is real but the providers and the telephone, and the wire to those is real too. Callers
and voices speak text (`emulators.textaudio`), so what was heard is an exact string.

    async with world(tmp_path, answers=ANSWERS) as place:
        async with place.call(say("Hello."), hang_up("Goodbye")) as call:
            await call.until(call.is_speaking(1, 1))
            place.kill(names.call(call.call_id))
            report = await call.over()
        assert call.heard == …
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection

from actors import names
from actors.memory_store import SqliteStore
from actors.runtime import KILL, VM, Dest, Pid
from config.agents import Agent
from config.settings import load
from console.node import Node
from dialogue.journal import Entry, decode
from dialogue.toolbox import Effect, ToolRun
from emulators.bedrock import BedrockEmulator, Reply, say
from emulators.bedrock import Pace as BedrockPace
from emulators.bedrock.continuation import Body, text_of
from emulators.bedrock.journal import Record
from emulators.deepgram import DeepgramEmulator
from emulators.deepgram.speak import Pace as SpeakPace
from emulators.phone import Phone, Report
from emulators.phone.audio import SILENCE_CODES, Utterance
from emulators.phone.messages import StreamWriter, new_sid
from emulators.phone.script import Script, parse
from speech.line import Line
from speech.playout import Sentence

# Longest wait for anything; generous, for machines that do other things too.
LIMIT = 15.0
POLL_SECONDS = 0.003

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

# What stands in a script for a sound, of which the recogniser makes no words.
NOISE = "(noise)"
NOISE_AUDIO = bytes([0x55]) * 1600

Answers = Mapping[str, Sequence[Reply | str]]
Condition = Callable[[], bool]
Step = dict[str, Any]


def agent(**changes: Any) -> Agent:
    """The agent of these tests, with these fields changed."""
    return AGENT.model_copy(update=changes)


def answering(answers: Answers) -> Callable[[Body], Reply]:
    """A model that answers each text of the caller by its own list: the first reply to the words,
    the next to the results of its tools, and so on. The same messages get the same reply."""

    def respond(body: Body) -> Reply:
        results = 0
        for message in reversed(body["messages"]):
            if message["role"] == "user":
                text = text_of(message)
                if text:
                    replies = answers.get(text, (f"You said: {text}",))
                    reply = replies[min(results, len(replies) - 1)]
                    return say(reply) if isinstance(reply, str) else reply
                results += 1
        raise AssertionError("a conversation without words of the caller")

    return respond


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


def text(words: str, *, after: str = r"\S", quiet_ms: float = 100, **more: Any) -> Step:
    """The caller says `words` once `after` was heard and it has been quiet for a while."""
    return {"text": words, "expect": after, "after_quiet_ms": quiet_ms, **more}


def interrupt(words: str, after_ms: float = 300) -> Step:
    """The caller breaks in when the agent has spoken for so long."""
    return {"text": words, "when_agent_speaking_ms": after_ms}


def hang_up(after: str = r"\S", quiet_ms: float = 100, **more: Any) -> Step:
    """The caller hangs up once `after` was heard."""
    return {"hangup": True, "expect": after, "after_quiet_ms": quiet_ms, **more}


def noise(after_ms: float = 300) -> Step:
    """A sound without words comes from the caller when the agent has spoken for so long."""
    return {"text": NOISE, "when_agent_speaking_ms": after_ms}


def drop(after: str = r"\S", quiet_ms: float = 100) -> Step:
    """The stream's connection breaks once `after` was heard; the caller stays on the line."""
    return {"drop": True, "expect": after, "after_quiet_ms": quiet_ms}


def stay() -> Step:
    """The caller stays until the agent hangs up."""
    return {"wait_close": True}


class Call:
    """One caller on the telephone; made by `World.call`."""

    def __init__(self, world: World, phone: Phone, call_id: str) -> None:
        self._world = world
        self._phone = phone
        self._task: asyncio.Task[Report] | None = None
        self._line: Line | None = None
        self.call_id = call_id
        self.report = phone.report

    def begin(self) -> None:
        """Place the call."""
        self._task = asyncio.create_task(self._phone.run())

    async def over(self, within: float = LIMIT) -> Report:
        """The report, once the caller's script is done."""
        assert self._task is not None
        async with asyncio.timeout(within):
            return await self._task

    async def until(self, condition: Condition, within: float = LIMIT) -> None:
        """Return in the very step of the loop in which `condition` was seen to hold."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    assert self._task is not None
                    if self._task.done() and not condition():
                        raise AssertionError(f"the call is over: {self.summary()}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"waited in vain: {self.summary()}") from None

    async def hang_up(self, stops: int = 1, *, abruptly: bool = False) -> None:
        """The caller hangs up at this very moment, which is told by so many `stop` messages;
        `abruptly`: behind them the connection breaks."""
        socket, writer = self._open_line()
        for _ in range(stops):
            await socket.send(writer.stop())
        if abruptly:
            socket.transport.abort()
        else:
            await socket.close()

    def drop(self) -> None:
        """The stream's connection breaks at this very moment; the caller stays on the line."""
        self._open_line()[0].transport.abort()

    def lose_marks(self) -> None:
        """The carrier sends no mark back from now on."""
        writer = self._open_line()[1]
        setattr(writer, "mark", lambda name: writer.media(""))  # noqa: B010

    def _open_line(self) -> tuple[ClientConnection, StreamWriter]:
        line = self._phone._line
        assert line is not None, "there is no stream"
        return line

    @property
    def is_connected(self) -> bool:
        """Whether a stream is open."""
        return self._phone._line is not None

    @property
    def is_over(self) -> bool:
        """Whether the caller's script is done."""
        return self._task is not None and self._task.done()

    @property
    def heard(self) -> str:
        """All that the caller has heard so far."""
        return "".join(heard.text for heard in self.report.heard)

    @property
    def line(self) -> Line | None:
        """The call's line, also while its CallActor is being restarted."""
        process = self._world.vm.find(names.call(self.call_id))
        line = getattr(process.server, "_line", None) if process else None
        if line is not None:
            self._line = line
        return self._line

    @property
    def state(self) -> dict[str, Any]:
        """Where the CallActor says the call stands; empty while there is none."""
        process = self._world.vm.find(names.call(self.call_id))
        ready = process is not None and hasattr(process.server, "machine")
        return process.server.get_state() if process is not None and ready else {}

    def journal(self) -> list[Entry]:
        """What memory has of the call."""
        held = self._world.vm.tables["memory"].get(self.call_id)
        if held is not None:
            bodies = [row.entry for row in held.rows]
        else:
            store = SqliteStore(self._world.memory_path)
            bodies = [row.entry for row in store.read(self.call_id)]
            store.close()
        return [entry for body in bodies if (entry := decode(body)) is not None]

    def has(self, *entries: Entry) -> bool:
        """Whether the journal, as it is held in the process, has these."""
        held = self._world.vm.tables["memory"].get(self.call_id)
        found = [decode(row.entry) for row in held.rows] if held else []
        return all(entry in found for entry in entries)

    def has_any(self, kind: type[Any]) -> bool:
        """Whether the journal has an entry of this type."""
        held = self._world.vm.tables["memory"].get(self.call_id)
        return held is not None and any(isinstance(decode(row.entry), kind) for row in held.rows)

    def is_speaking(self, turn: int, seq: int) -> bool:
        """Whether this sentence is on its way to the caller: begun, and not all of it out."""
        ledger, sentence = self.line and self.line.ledger, Sentence(turn, seq)
        return bool(ledger and ledger.bytes_sent(sentence) and not ledger.is_complete(sentence))

    def has_heard(self, turn: int, seq: int) -> bool:
        """Whether the caller has heard this sentence to its end."""
        return bool(self.line and self.line.ledger.is_heard(Sentence(turn, seq)))

    def is_talking(self, for_ms: float = 0.0) -> bool:
        """Whether the caller is in the midst of an utterance, since so long."""
        turn = self.report.turns[-1] if self.report.turns else None
        if turn is None or turn.end_ms is not None:
            return False
        return self.report.duration_ms - turn.start_ms >= for_ms

    @property
    def is_using_a_tool(self) -> bool:
        """Whether a tool runs for the call."""
        return self.call_id in self._world.desk.running

    def requests(self) -> list[Record]:
        """What was asked of the model for this call, oldest first."""
        return self._world.requests(self.call_id)

    def told(self, index: int = -1) -> list[tuple[str, str]]:
        """The conversation as the model was told it: ("user" | "assistant" | "uses" | "result",
        words), by default at the last request."""
        lines: list[tuple[str, str]] = []
        body = self.requests()[index].body
        assert body is not None
        for message in body["messages"]:
            for block in message["content"]:
                if "text" in block:
                    lines.append((message["role"], block["text"]))
                elif "toolUse" in block:
                    lines.append(("uses", block["toolUse"]["name"]))
                elif "toolResult" in block:
                    lines.append(("result", block["toolResult"]["status"]))
        return lines

    def summary(self) -> str:
        """What is known of the call, for a failed assertion."""
        entries = "\n    ".join(map(str, self.journal()))
        return f"{self.report.failure}\n  heard {self.heard!r}\n  {self.state}\n    {entries}"


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
        steps_of = [{"timeout_s": LIMIT, **step} for step in steps]
        script = _noisy(parse({"steps": steps_of, "limit_s": 60}, Path("kit"), "text"))
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


def _noisy(script: Script) -> Script:
    sound = Utterance.of(NOISE_AUDIO, SILENCE_CODES)
    steps = (replace(s, utterance=sound) if s.text == NOISE else s for s in script.steps)
    return replace(script, steps=tuple(steps))


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
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "DEEPGRAM_URL": deepgram.url,
                "DEEPGRAM_API_KEY": "key",
                "AYBIZA_HTTP_PORT": "0",
                "AYBIZA_MEDIA_PORT": "0",
                "AYBIZA_NODE_NAME": "test",
                "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
                "BEDROCK_POOL_SIZE": "64",
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
