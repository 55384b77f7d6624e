"""Many agents on one node: each call has its own, and nothing of one is in another's."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from aybiza.actors.measures import costs
from aybiza.actors.measures.metrics_actor import table
from aybiza.actors.memory.store import Wanted
from aybiza.actors.recordings.shelf import Shelf
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.claude.stream import Usage
from aybiza.config.agents import Agent
from aybiza.config.recording import Recording
from aybiza.config.routes import DEFAULT, Route, Routes, load_routes
from aybiza.emulators import textaudio
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.phone import Party
from aybiza.faults import logs
from aybiza.faults.caller import breaks_off, hangs_up, says, stays
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

AGENTS, TENANTS = 20, 5

_MARK = re.compile(r"[A-Z]ark\d\d")


def mark(number: int) -> str:
    return f"Mark{number:02}"


def called(number: int) -> str:
    return f"+141555501{number:02}"


def desk(number: int) -> Agent:
    """An agent of which every text and value has its mark."""
    own = mark(number)
    return agent(
        name=f"Desk {own}",
        system_prompt=f"You are {own}.",
        greeting=f"This is {own}.",
        closing=f"{own} says goodbye.",
        filler=f"{own} is looking.",
        keyterms=(own,),
        voice=f"aura-2-{own.lower()}-en",
        transfer_numbers={own: f"+1415555020{number % 10}"},
        tools=("look_up", "end_call"),
        recording=Recording(consent="told"),
    )


ROUTES = Routes(
    Route(DEFAULT, agent(), "Desk"),
    tuple(
        Route(f"r{n}", desk(n), f"Tenant {n % TENANTS}", frozenset([called(n)]))
        for n in range(AGENTS)
    ),
)


def respond(body: Body) -> Reply:
    """Repeats who it was told to be, and what the caller said."""
    prompt = " ".join(block.get("text", "") for block in body["system"])
    said = text_of(body["messages"][-1])
    return say(f"{_MARK.findall(prompt)[0]} heard {said}")


def test_no_value_of_an_agent_is_in_anothers_request_log_bill_memory_recording_or_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_LEVEL", 0)

    async def one(world: World, number: int) -> PlacedCall:
        words = f"I am caller {mark(number)}."
        steps = (says(words), says(f"Once more, {mark(number)}."), hangs_up())
        async with world.call(*steps, to=called(number)) as call:
            await call.over()
        return call

    async def talk(world: World) -> tuple[list[PlacedCall], World, Ledger]:
        calls = await asyncio.gather(*(one(world, number) for number in range(AGENTS)))
        await asyncio.sleep(5)
        return calls, world, costs.ledger(world.vm)

    shelf = Shelf(tmp_path)
    calls, world, ledger = in_world(talk, routes=ROUTES, responder=respond, recordings=shelf)
    kept = {record.call_id: record for record in world.store.find(Wanted(), 2 * AGENTS)}
    log: dict[str, str] = {}
    for entry in world.trace:
        found = re.search(r"call_id=(\w+)", entry.what)
        if entry.kind == "log" and found:
            log[found[1]] = log.get(found[1], "") + entry.what + "\n"
    heard = world.deepgram.service.journal.entries()
    bill: dict[str, int] = {}
    for number, call in enumerate(calls):
        tenant = f"Tenant {number % TENANTS}"
        requests = call.requests()
        assert len(requests) == 2
        told = json.dumps([record.body for record in requests])
        asked = json.dumps([e for e in heard if e["session"] == call.call_id])
        assert set(_MARK.findall(told)) == {mark(number)}
        assert {record.call["tenant"] for record in requests} == {tenant}
        assert set(_MARK.findall(call.heard)) == {mark(number)}
        assert f"This is {mark(number)}." in call.heard
        assert set(_MARK.findall(asked)) <= {mark(number)}
        assert set(_MARK.findall(log[call.call_id])) == {mark(number)}
        assert set(re.findall(r"tenant=(Tenant \d)", log[call.call_id])) == {tenant}
        record, journal = kept[call.call_id], repr(world.store.read(call.call_id))
        assert set(_MARK.findall(repr(record) + journal)) == {mark(number)}
        assert record.tenant == tenant
        parts = [shelf.wav(path)[44:] for path in shelf.parts(call.call_id)]
        halves = [part[side::2] for part in parts for side in (0, 1)]
        sound = [textaudio.TextAudioDecoder().feed(half) for half in halves]
        assert set(_MARK.findall(" ".join(sound))) == {mark(number)}
        bill[tenant] = bill.get(tenant, 0) + 1
    spent = {tenant: usd for (_, tenant), usd in ledger.tenant_days.items()}
    assert set(spent) == set(bill) == {f"Tenant {n}" for n in range(TENANTS)}
    assert sum(spent.values()) == sum(ledger.days.values()) > 0
    figures = generate_latest(table(world.vm).registry).decode()
    assert "aybiza_turns_total" in figures
    assert not _MARK.search(figures) and "Tenant" not in figures and "+1415" not in figures


def test_a_caller_who_comes_back_has_the_same_agent() -> None:
    async def talk(world: World) -> PlacedCall:
        steps = (says("Hello."), breaks_off(), says("Again."), hangs_up())
        async with world.call(*steps, query="desk=r7") as call:
            await call.over()
        return call

    routes = Routes(
        ROUTES.default,
        (*ROUTES.routes[:7], Route("r7", desk(7), "Seven", parameters={"desk": "r7"})),
    )
    call = in_world(talk, routes=routes, responder=respond)
    assert len(call.report.streams) == 2
    assert set(_MARK.findall(call.heard)) == {mark(7)}
    assert {record.call["tenant"] for record in call.requests()} == {"Seven"}


def test_a_caller_is_put_through_by_the_numbers_of_their_agent() -> None:
    def transferring(body: Body) -> Reply:
        prompt = " ".join(block.get("text", "") for block in body["system"])
        if "toolResult" in str(body["messages"][-1]["content"]):
            return say("One moment.")
        return use("transfer", {"what": _MARK.findall(prompt)[0]}, "I put you through.")

    parties = {desk(3).transfer_numbers[mark(3)]: Party("completed")}

    async def talk(world: World) -> PlacedCall:
        async with world.call(says("A person, please."), stays(), to=called(3)) as call:
            await call.over()
        return call

    call = in_world(talk, routes=ROUTES, responder=transferring, parties=parties)
    assert call.report.dialled == [(desk(3).transfer_numbers[mark(3)], "completed")]


def test_a_quota_of_a_tenant_is_that_of_its_calls_alone() -> None:
    async def talk(world: World) -> list[str]:
        costs.lay(world.vm, Ledger(Quotas(action="refuse", tenant_day=1_000_000)))
        model, used = world.policy.models[0], Usage(1_000_000, 1_000_000, 0, 0)
        costs.charge(world.vm, model, used, call_id="CAbefore", tenant_id="Tenant 1")
        heard = []
        for number in (1, 2):
            async with world.call(says("Hello."), hangs_up(), to=called(number)) as call:
                await call.over()
            heard.append(call.heard)
        return heard

    spent, free = in_world(talk, routes=ROUTES, responder=respond)
    assert "heard Hello" not in spent
    assert "Mark02 heard Hello." in free


def test_routes_of_a_file_answer_calls(tmp_path: Path) -> None:
    text = 'name = "{0}"\ngreeting = "Here is {0}."\nsystem_prompt = "Be kind."\n'
    for name in ("Rome", "Oslo"):
        (tmp_path / f"{name}.toml").write_text(text.format(name))
    path = tmp_path / "routes.toml"
    path.write_text(
        '[routes.rome]\nagent = "Rome.toml"\nnumbers = ["+14155550100"]\n'
        '[routes.oslo]\nagent = "Oslo.toml"\nparameters = { city = "oslo" }\n'
    )

    async def talk(world: World) -> list[str]:
        heard = []
        for to, query in (("+14155550100", ""), ("+14155550111", "city=oslo")):
            async with world.call(hangs_up(), to=to, query=query) as call:
                await call.over()
            heard.append(call.heard.strip())
        return heard

    heard = in_world(talk, routes=load_routes(path, "clinic"))
    assert heard == ["Here is Rome.", "Here is Oslo."]


def test_an_agents_sampling_is_in_the_requests_of_a_model_that_takes_it() -> None:
    async def talk(world: World) -> tuple[str, dict[str, object]]:
        async with world.call(says("Hello."), hangs_up()) as call:
            await call.over()
        (record,) = call.requests()
        return world.policy.models[0].model.sampling, record.body or {}

    sampling, body = in_world(talk, agent=agent(top_k=40), responder=lambda _: say("Yes."))
    fields = body.get("additionalModelRequestFields", {})
    assert isinstance(fields, dict)
    assert fields.get("top_k") == (None if sampling == "none" else 40)
