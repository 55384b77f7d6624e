"""Amazon Kendra's Query, over documents that are given.

Contract: `Documents.add(index_id, title, text, uri)`; a query answers the documents that share
words with it, those with the most first. An index that nobody has added to is unknown.
Source: Amazon Kendra, Query (AWS JSON 1.1).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, Refused, as_json

TARGET: Final = "AWSKendraFrontendService."
_MOST: Final = 100
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of an index."""

    id: str
    title: str
    text: str
    uri: str


class Documents:
    """See the module."""

    def __init__(self) -> None:
        self._indexes: dict[str, list[Document]] = {}

    def add(self, index_id: str, title: str, text: str, uri: str = "") -> None:
        """Put a document into an index."""
        held = self._indexes.setdefault(index_id, [])
        held.append(Document(f"document-{len(held) + 1}", title, text, uri))

    async def serve(self, request: HttpRequest) -> Answer:
        """Query."""
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        if operation != "Query":
            raise Refused(400, "UnknownOperationException", operation)
        try:
            asked = json.loads(request.body)
            index_id, query = str(asked["IndexId"]), str(asked["QueryText"])
            size = min(int(asked.get("PageSize", 10)), _MOST)
        except (ValueError, KeyError, TypeError) as fault:
            raise Refused(400, "ValidationException", repr(fault)) from None
        if index_id not in self._indexes:
            raise Refused(400, "ResourceNotFoundException", f"Index {index_id} does not exist.")
        words = set(_words(query))
        scored = [
            (len(words.intersection(_words(f"{document.title} {document.text}"))), document)
            for document in self._indexes[index_id]
        ]
        found = [document for score, document in sorted(scored, key=lambda s: -s[0]) if score]
        items = [_item(document) for document in found[:size]]
        told = {"QueryId": "query", "ResultItems": items, "TotalNumberOfResults": len(found)}
        return as_json(told, kind="application/x-amz-json-1.1")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _item(document: Document) -> dict[str, Any]:
    return {
        "Id": document.id,
        "Type": "DOCUMENT",
        "DocumentId": document.id,
        "DocumentTitle": {"Text": document.title, "Highlights": []},
        "DocumentExcerpt": {"Text": document.text, "Highlights": []},
        "DocumentURI": document.uri,
        "ScoreAttributes": {"ScoreConfidence": "HIGH"},
    }
