"""Knowledge search: the tool, and Amazon Kendra behind it.

Contract: a search is any async function from a question and a number to so many `Passage`s, best
first; `aybiza.dialogue.tools.local_index` is one that needs no cloud, `KendraIndex` another.
Errors: none of its own; finding nothing is a result.
Source: specification 001, "Web Search" (`search`, `knowledge_search_tool`); Amazon Kendra, Query.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aybiza.dialogue.tool_registry import Tool
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.aws import Aws

PASSAGES: Final = 3
_PASSAGE_CHARACTERS: Final = 1_200
_INDEX_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{35}")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document; `source` is where it stands, for people."""

    title: str
    text: str
    source: str = ""


Search: TypeAlias = Callable[[str, int], Awaitable[list[Passage]]]


def knowledge_search_tool(search: Search) -> Tool:
    """`search_knowledge`: what the documents say."""

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        found = await search(given["query"], PASSAGES)
        if not found:
            return {"passages": [], "message": "Nothing was found. Say so; do not make it up."}
        return {
            "passages": [
                {
                    "title": passage.title,
                    "text": passage.text[:_PASSAGE_CHARACTERS],
                    "source": passage.source,
                }
                for passage in found[:PASSAGES]
            ]
        }

    return Tool(
        name="search_knowledge",
        description="Search the company's documents for what the caller wants to know.",
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 300,
                    "description": "A few words, as they would stand in the document",
                }
            },
            "required": ["query"],
        },
    )


class KendraIndex:
    """An index of Amazon Kendra. Raises ValueError for an `index_id` that can be none."""

    def __init__(self, aws: Aws, index_id: str) -> None:
        if not _INDEX_ID.fullmatch(index_id):
            raise ValueError(f"{index_id!r} is no id of a Kendra index: it has 36 characters")
        self._aws = aws
        self._index_id = index_id

    async def search(self, query: str, limit: int) -> list[Passage]:
        """The best passages."""
        request = {"IndexId": self._index_id, "QueryText": query, "PageSize": limit}
        answer = await self._aws.call("kendra", "query", request)
        return passages_of(answer, limit)


def passages_of(answer: object, limit: int) -> list[Passage]:
    """The passages of an answer of Kendra's; what is none is left out."""
    items = answer.get("ResultItems") if isinstance(answer, Mapping) else None
    found = [item for item in items if isinstance(item, Mapping)] if type(items) is list else []
    return [
        Passage(
            title=_text(item.get("DocumentTitle")),
            text=_text(item.get("DocumentExcerpt")),
            source=_word(item.get("DocumentURI")) or _word(item.get("DocumentId")),
        )
        for item in found[:limit]
    ]


def _text(told: object) -> str:
    return _word(told.get("Text")) if isinstance(told, Mapping) else ""


def _word(told: object) -> str:
    return told if isinstance(told, str) else ""
