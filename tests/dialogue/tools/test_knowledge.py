"""Knowledge search, over any search and over Kendra."""

from __future__ import annotations

import pytest

from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.knowledge import KendraIndex, Passage, knowledge_search_tool
from aybiza.emulators.services import ServicesEmulator
from tests.dialogue.tools.kit import used

INDEX = "0" * 36


async def test_what_is_found_is_told_with_its_source_and_bounded() -> None:
    async def search(query: str, limit: int) -> list[Passage]:
        return [Passage(query, "x" * 5_000, "here")] * 9

    got = await used(knowledge_search_tool(search), query="fees")
    assert len(got["passages"]) == 3
    first = got["passages"][0]
    assert (first["title"], first["source"]) == ("fees", "here")
    assert len(first["text"]) == 1_200


async def test_finding_nothing_is_a_result() -> None:
    async def search(query: str, limit: int) -> list[Passage]:
        return []

    got = await used(knowledge_search_tool(search), query="fees")
    assert got["passages"] == []
    assert "error" not in got


async def test_kendra_answers(services: ServicesEmulator, aws: Aws) -> None:
    services.documents.add(INDEX, "Parking", "Parking is free.", "https://example.org/parking")
    services.documents.add(INDEX, "Fees", "Cancelling late costs 20 dollars.")
    index = KendraIndex(aws, INDEX)
    assert await index.search("is parking free", 5) == [
        Passage("Parking", "Parking is free.", "https://example.org/parking")
    ]
    assert await index.search("nothing of the kind", 5) == []
    got = await used(knowledge_search_tool(index.search), query="cancelling")
    assert got["passages"][0]["source"] == "document-2"


async def test_an_index_that_is_not_there_is_told(services: ServicesEmulator, aws: Aws) -> None:
    got = await used(knowledge_search_tool(KendraIndex(aws, "1" * 36).search), query="fees")
    assert got["error"] == "refused"


def test_an_id_that_can_be_none_is_refused(aws: Aws) -> None:
    with pytest.raises(ValueError, match="36"):
        KendraIndex(aws, "index")
