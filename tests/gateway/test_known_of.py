"""A webhook finds the conversation on whichever node of the cluster has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Forget, kept
from aybiza.actors.runtime import sys
from aybiza.dialogue.journal import CallerTurn, Ended, Entry, Transferring, encode
from aybiza.gateway import known_of as looking
from aybiza.gateway.known_of import known_of
from tests.actors.cluster.kit import until
from tests.call.kit import agent
from tests.call.site import Site, site

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEFT: tuple[Entry, ...] = (
    CallerTurn(1, "My tooth hurts."),
    Transferring("front desk"),
    Ended("transfer"),
)
WARM = agent(transfer_style="summary", transfer_summary="They said:")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site"), "one", "two", "three", agent=WARM) as made:
        await until(lambda: all(len(node.vm.nodes()) == 2 for node in made.nodes.values()))
        yield made


async def put(place: Site, node: str, call_id: str, *entries: Entry) -> None:
    vm = place.nodes[node].vm
    append(vm, call_id, 1, 1, [encode(entry) for entry in entries])
    await kept(vm, call_id)
    vm.cast(names.MEMORY, Forget(call_id))


async def told(place: Site, at: str, **query: str) -> str:
    """What the person hears who has answered, from this node's webhook."""
    given = place.nodes[at]._admission.seals.sealed(query, "twilio", "AC" + "1" * 32)
    url = f"{place.nodes[at].http_url}/incoming/whisper?{given}"
    form = {"CallSid": "CA" + "9" * 32, "AccountSid": "AC" + "1" * 32, "CallStatus": "in-progress"}
    async with httpx.AsyncClient() as client:
        response = await client.post(url, data=form)
    assert response.status_code == 200, response.text
    return response.text.partition("<Response>")[2]


@pytest.mark.parametrize("hint", ["two", "three", "one", "gone", ""])
async def test_the_person_hears_the_summary_whichever_node_has_it(place: Site, hint: str) -> None:
    await put(place, "two", "CA2", *LEFT)
    for node in ("one", "two", "three"):
        words = await told(place, node, call="CA2", node=hint)
        assert words == "<Say>They said: My tooth hurts.</Say></Response>", node


async def test_a_person_who_answers_a_call_that_nobody_knows_gets_it_without_words(
    place: Site,
) -> None:
    with capture_logs() as logs:
        assert await told(place, "one", call="CA7", node="two") == "</Response>"
    assert [entry["call_id"] for entry in logs if entry["event"] == "call_unknown"] == ["CA7"]


async def test_of_copies_the_one_with_most_in_it_is_taken(place: Site) -> None:
    await put(place, "three", "CA3", LEFT[0])
    await put(place, "two", "CA3", *LEFT)
    conversation = await known_of(place.nodes["one"].vm, "CA3", "")
    assert conversation.transfer == "front desk"


async def test_a_node_that_does_not_answer_is_waited_for_a_second_at_most(
    place: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "ASK_SECONDS", 0.05)
    await put(place, "two", "CA4", *LEFT)
    three: Any = place.nodes["three"].vm
    await sys.suspend(three, names.MEMORY)
    try:
        with capture_logs() as logs:
            assert (await known_of(place.nodes["one"].vm, "CA4", "three")).transfer == "front desk"
    finally:
        await sys.resume(three, names.MEMORY)
    assert {entry["node"] for entry in logs if entry["event"] == "journal_not_read"} == {"three"}
