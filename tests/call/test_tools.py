"""Tools of one's own in whole calls: looked up, read back, agreed to, done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from aybiza.actors import names
from aybiza.dialogue.toolbox import Effect, ToolRun
from aybiza.dialogue.tools.catalogue import load_tools
from aybiza.emulators.bedrock import Reply, Text, ToolUse, use
from aybiza.emulators.services import ServicesEmulator
from aybiza.faults.desk import Answers
from tests.call.kit import GREETING, Desk, world
from tests.call.steps import hang_up, interrupt, text

pytestmark = pytest.mark.real_time

FILE = """
[crm]
base_url = "{url}"
auth = {{ bearer = "CRM_TOKEN" }}
"""
CALLER = "+14155550123"
BOOK = "Book me in for ten thirty on the first."
START = "2026-12-01T10:30"
ASKED_BACK = "The first of December at ten thirty, is that right?"
WRITE = {"customer_id": "41573", "start": START}
ANSWERS: Answers = {
    BOOK: [use("lookup_customer", {}), use("book_appointment", WRITE), ASKED_BACK],
    "Yes, please.": [use("book_appointment", {**WRITE, "confirmed": True}), "It is booked."],
    "No, wait.": [use("book_appointment", {**WRITE, "confirmed": True}), "I have not booked."],
}


async def test_a_booking_is_made_when_the_caller_has_agreed_and_not_before(tmp_path: Path) -> None:
    async with ServicesEmulator() as services:
        path = tmp_path / "tools.toml"
        path.write_text(FILE.format(url=f"{services.url}/crm"))
        tools = load_tools(path, region="us-east-1", environment=services.environment())
        async with world(tmp_path, answers=ANSWERS, desk=cast(Any, tools.registry)) as place:
            steps = (
                text(BOOK, after=r"today\?\s*$"),
                text("No, wait.", after=r"right\?\s*$"),
                text("Yes, please.", after=r"not booked\.\s*$"),
                hang_up("is booked"),
            )
            async with place.call(*steps, from_number=CALLER) as call:
                await call.until(lambda: "not booked" in call.heard)
                assert services.crm.appointments == []
                report = await call.over()
        await tools.aclose()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {ASKED_BACK} I have not booked. It is booked. "
    assert [made["start"] for made in services.crm.appointments] == [START]
    asked = [entry.path for entry in services.journal if entry.method == "GET"]
    assert asked == ["/crm/customers?identifier=%2B14155550123"]


class Book(Desk):
    """A desk that writes, and is done when it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    def effect(self, name: str) -> Effect:
        return "write"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        self.runs.append(use)
        await self.go_on.wait()
        return {"booked": True}


WAIT = "Wait a moment, please."
AND = "So what about it?"
LONG = (
    "I will book that for you now, which takes a moment or two as the book is a large one and "
    "there are many others who would like to come on that day, so please stay on the line"
)
CUT: Answers = {
    BOOK: [Reply((Text(LONG), ToolUse("look_up", {}))), "It is done."],
    # Before anything of the answer was heard, what the caller adds belongs to the same turn.
    f"{BOOK} {WAIT}": ["I am still waiting for the book."],
    WAIT: ["I am still waiting for the book."],
    AND: ["It is booked."],
}


async def test_what_a_cut_answer_has_written_is_known_in_the_turns_after_it(tmp_path: Path) -> None:
    book = Book()
    async with world(tmp_path, answers=CUT, desk=book, voice_speed=2) as place:
        steps = (
            text(BOOK, after=r"today\?\s*$"),
            interrupt(WAIT, 200),
            text(AND, after=r"the book\.\s*$"),
            hang_up("is booked"),
        )
        async with place.call(*steps, direct=True) as call:
            await call.until(lambda: len(call.requests()) == 2)
            assert not place.vm.alive(names.answer(call.call_id, 1))
            book.go_on.set()
            report = await call.over()
    assert report.ok, call.summary()
    uses = [line for line in call.told(1) if line[0] in ("uses", "result")]
    assert uses == [("uses", "look_up"), ("result", "error")], "it has not ended yet"
    uses = [line for line in call.told(2) if line[0] in ("uses", "result")]
    assert uses == [("uses", "look_up"), ("result", "success")]
    assert len(book.runs) == 1
