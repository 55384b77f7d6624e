"""The phone where a call is handed on, and where its line misbehaves, against a real webhook."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.emulators.phone import Fault, Party
from aybiza.gateway.carriers.codec import Mark, Start, Stop
from tests.emulators.phone.test_phone import Line, agent_at, call, script, webhook_at

PERSON = "+15550199"


@pytest.mark.parametrize(
    ("party", "status"),
    [
        (Party("completed", ring_s=0.2, talk_s=1.0), "completed"),
        (Party("busy", ring_s=0.2), "busy"),
        (Party("no-answer", ring_s=0.2), "no-answer"),
        (Party("failed", ring_s=0.2), "failed"),
        (Party(ring_s=60.0), "no-answer"),
    ],
)
async def test_a_transfer_asks_its_action_and_the_call_may_come_back(
    party: Party, status: str
) -> None:
    async def agent(line: Line) -> None:
        await line.until(Start)
        if len(lines) == 1:
            await line.say("I put you through.", mark="end")
            await line.until(Mark)
            return
        await line.say("They are not there. What now?")
        await line.until(Stop)

    posts: list[dict[str, str]] = []

    def answer(path: str, fields: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
        posts.append({**fields, "path": path})
        stream = f"<Response><Connect><Stream url='{url}'/></Connect>"
        if path == "/incoming":
            dial = f"<Dial action='/dialled' timeout='2'><Number>{PERSON}</Number></Dial>"
            return 200, f"{stream}{dial}</Response>"
        if fields["DialCallStatus"] == "completed":
            return 200, "<Response><Hangup/></Response>"
        return 200, f"{stream}</Response>"

    given = script({"hangup": True, "expect": "What now"}, limit_s=30)
    if status == "completed":
        given = script({"wait_close": True, "timeout_s": 30}, limit_s=30)
    async with agent_at(agent) as (url, lines), webhook_at(answer) as http:
        report = await call(None, given, http=http, parties={PERSON: party})
    assert report.ok, report.failure
    assert report.dialled == [(PERSON, status)]
    assert [post["path"] for post in posts] == ["/incoming", "/dialled"]
    assert posts[1]["DialCallStatus"] == status
    assert posts[1]["CallSid"] == posts[0]["CallSid"] == report.call_sid
    assert len(lines) == (1 if status == "completed" else 2)


async def test_a_mark_can_be_lost_and_another_doubled() -> None:
    seen: list[str] = []

    async def agent(line: Line) -> None:
        await line.until(Start)
        for name in ("one", "two", "three"):
            await line.say(name.title() + ".", mark=name)
        await line.until(Stop)
        seen.extend(event.name for event in line.events if isinstance(event, Mark))

    faults = [Fault("mark_lost", "one"), Fault("mark_double", "two")]
    async with agent_at(agent) as (url, _):
        report = await call(url, script({"hangup": True}), faults=faults)
    assert report.ok, report.failure
    assert seen == ["two", "two", "three"]


async def test_a_line_that_does_not_read_holds_the_agent_up() -> None:
    blocked = asyncio.Event()

    async def agent(line: Line) -> None:
        await line.until(Start)
        await line.say("Hello.")
        try:
            async with asyncio.timeout(0.5):
                while True:
                    await line.say("x" * 4000)
        except TimeoutError:
            blocked.set()
        await line.until(Stop)

    faults = [Fault("deaf", seconds=20.0)]
    async with agent_at(agent) as (url, _):
        await call(
            url, script({"hangup": True, "after_ms": 30_000, "timeout_s": 40}), faults=faults
        )
    assert blocked.is_set()
