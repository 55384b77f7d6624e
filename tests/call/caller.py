"""One caller on the telephone, and what can be seen of the call from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from aybiza.actors import names
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.dialogue.journal import Entry, decode
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.phone import Phone, Report
from aybiza.emulators.phone.messages import StreamWriter
from aybiza.speech.line import Line
from aybiza.speech.playout import Sentence

if TYPE_CHECKING:
    from tests.call.kit import World

# Longest wait for anything; generous, for machines that do other things too.
LIMIT = 200.0
POLL_SECONDS = 0.003

Condition = Callable[[], bool]


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

    async def hang_up(
        self, stops: int = 1, *, talking: bool = False, abruptly: bool = False
    ) -> None:
        """The caller hangs up at this very moment, which is told by so many `stop` messages.

        `talking`: audio follows them; `abruptly`: the connection breaks behind them.
        """
        socket, writer = self._open_line()
        for _ in range(stops):
            await socket.send(writer.stop())
        if talking:
            await socket.send(writer.media("/w=="))
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
