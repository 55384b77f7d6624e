"""The caller scripts and the demonstration agent understand each other, on any day of the year."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.tool_run import ToolRun
from aybiza.emulators.bedrock.reply import Text, ToolUse
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.phone.script import Script, load, names
from tests.clinic import clinic, done

MONDAY = datetime(2026, 1, 5, 8, 10)
GREETING = "How can I help you today?"


class FrontDesk:
    """The agent without a telephone: words in, words out, tools run on the way."""

    def __init__(self, now: datetime, caller: str) -> None:
        self._caller = caller
        self._box = clinic(now)
        self._tools = {tool.name: tool for tool in self._box.tools}
        self.messages: list[dict[str, Any]] = [
            {"role": "user", "content": [{"text": "(call connected)"}]},
            {"role": "assistant", "content": [{"text": GREETING}]},
        ]
        self.used: list[str] = []
        self._gate = ConsentGate()
        self._turn = 0
        self._said = ""

    def answer(self, said: str) -> str:
        content: list[dict[str, Any]] = [{"text": said}]
        heard = ""
        self._turn, self._said = self._turn + 1, said
        while content:
            self.messages.append({"role": "user", "content": content})
            tools = {"tools": self._box.specs()}
            reply = respond({"messages": self.messages, "toolConfig": tools})
            heard += "".join(f" {block.text}" for block in reply.blocks if isinstance(block, Text))
            content = [self._use(block) for block in reply.blocks if isinstance(block, ToolUse)]
        return heard

    def _use(self, block: ToolUse) -> dict[str, Any]:
        tool_use_id = f"t{len(self.messages)}"
        use = {"toolUseId": tool_use_id, "name": block.name, "input": block.input}
        self.messages.append({"role": "assistant", "content": [{"toolUse": use}]})
        result = self._result(block, tool_use_id)
        return {"toolResult": {"toolUseId": tool_use_id, "content": [{"json": result}]}}

    def _result(self, block: ToolUse, tool_use_id: str) -> dict[str, Any]:
        tool = self._tools[block.name]
        run = ToolRun(
            block.name, tool_use_id, block.input, "call", self._caller, self._turn, self._said
        )
        if tool.effect == "write" and not self._gate.agreed(block.name, block.input, run):
            return self._gate.ask(block.input, run)
        self.used.append(block.name)
        result: dict[str, Any] = done(tool, run)
        return result


def talk(script: Script, now: datetime) -> FrontDesk:
    """Go through the script; every expectation must hold of what the agent said before."""
    desk = FrontDesk(now, script.from_number)
    heard = GREETING
    for step in script.steps:
        assert step.expect is None or step.expect.search(heard), (now, step.label, heard)
        if step.act == "speak":
            heard = desk.answer(step.text)
    return desk


@pytest.mark.parametrize("name", names())
def test_every_expectation_holds_on_any_day(name: str) -> None:
    script = load(name, "text")
    for day in range(0, 366, 3):
        talk(script, MONDAY + timedelta(days=day, hours=day % 24))


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("booking", ["free_slots", "book_appointment", "end_call"]),
        ("moving", ["next_appointment", "free_slots", "move_appointment", "end_call"]),
        ("balance", ["account_balance", "end_call"]),
        ("opening_hours", ["opening_hours", "end_call"]),
        ("interrupt", ["opening_hours", "treatment_price", "end_call"]),
    ],
)
def test_the_caller_gets_what_the_script_is_about(name: str, tools: list[str]) -> None:
    assert talk(load(name, "text"), MONDAY).used == tools
