"""A call in a world: the caller's telephone, and what can be seen of the call from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from aybiza.actors import names
from aybiza.actors.runtime import Pid
from aybiza.dialogue.journal import Entry
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.phone import Report
from aybiza.faults.desk import Desk
from aybiza.faults.entries import entries_of
from aybiza.faults.telephone import Telephone
from aybiza.speech.playout import Sentence

if TYPE_CHECKING:
    from aybiza.faults.world import World

LIMIT_SECONDS = 1000.0


class PlacedCall:
    """See the module; made by `World.call`."""

    def __init__(self, world: World, phone: Telephone, call_id: str) -> None:
        self._world = world
        self.phone = phone
        self.call_id = call_id
        self.report: Report = phone.report

    async def __aenter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self.phone.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def over(self, within: float = LIMIT_SECONDS) -> Report:
        """The report, once the caller's script is done."""
        async with asyncio.timeout(within):
            return await asyncio.shield(self._task)

    async def until(self, condition: Callable[[], bool], within: float = 120.0) -> None:
        """Wait until `condition` holds; AssertionError when the call ends before."""

        def holds() -> bool:
            if condition():
                return True
            assert not self._task.done(), f"the call is over: {self.report.failure or 'in order'}"
            return False

        await self._world.until(holds, within)

    @property
    def began(self) -> float:
        """When the call was placed, in seconds of the world's clock."""
        return self._began

    @property
    def heard(self) -> str:
        """All that the caller has heard so far, one line a stretch of speech."""
        return self.report.heard_text

    @property
    def journal(self) -> list[Entry]:
        """The entries of the call's journal."""
        return entries_of(self._world.journals, self.call_id)

    def has(self, *entries: Entry) -> bool:
        """Whether all of these stand in the call's journal."""
        journal = self.journal
        return all(entry in journal for entry in entries)

    @property
    def is_over(self) -> bool:
        """Whether the caller's script is done."""
        return self._task.done()

    def requests(self) -> list[Record]:
        """What was asked of the model for this call, oldest first."""
        records = self._world.bedrock.journal.records
        return [record for record in records if self.call_id in record.call.values()]

    def told(self, index: int = -1) -> list[tuple[str, str]]:
        """The conversation as the model was told it, by default at the last request: ("user" or
        "assistant", words), ("uses", a tool's name), ("result", "success" or "error")."""
        body = self.requests()[index].body
        assert body is not None
        return [
            _told(message["role"], block)
            for message in body["messages"]
            for block in message["content"]
            if block.keys() & {"text", "toolUse", "toolResult"}
        ]

    @property
    def state(self) -> dict[str, Any]:
        """Where the CallActor says the call stands; empty while there is none."""
        process = self._world.find(names.call(self.call_id))
        ready = process is not None and hasattr(process.server, "machine")
        return process.server.get_state() if process is not None and ready else {}

    def pid(self, role: str) -> Pid:
        """The process that has the `role` in the call: `call`, `speaker`, `transcriber`,
        `session` or `stream`."""
        name = getattr(names, role)(self.call_id)
        process = self._world.find(name)
        assert process is not None, f"the call has no {role} now"
        return process.pid

    @property
    def is_using_a_tool(self) -> bool:
        """Whether the front desk looks something up for the call."""
        desk = self._world.toolbox
        return isinstance(desk, Desk) and self.call_id in desk.running

    def has_heard(self, turn: int, seq: int) -> bool:
        """Whether the caller has heard this sentence to its end."""
        line = self._world.lines.get(self.call_id)
        return bool(line and line.ledger.is_heard(Sentence(turn, seq)))

    def is_talking(self, for_ms: float = 0.0) -> bool:
        """Whether the caller is in the midst of an utterance, since so long."""
        turn = self.report.turns[-1] if self.report.turns else None
        return (
            turn is not None
            and turn.end_ms is None
            and self.report.duration_ms - turn.start_ms >= for_ms
        )

    def is_speaking(self, turn: int, seq: int) -> bool:
        """Whether this sentence is on its way: begun, and not all of it out."""
        line = self._world.lines.get(self.call_id)
        sentence = Sentence(turn, seq)
        ledger = line.ledger if line else None
        return bool(ledger and ledger.bytes_sent(sentence) and not ledger.is_complete(sentence))


def _told(role: str, block: dict[str, Any]) -> tuple[str, str]:
    if "toolUse" in block:
        return "uses", block["toolUse"]["name"]
    if "toolResult" in block:
        return "result", block["toolResult"]["status"]
    return role, block["text"]
