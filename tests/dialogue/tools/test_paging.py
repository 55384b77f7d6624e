"""Lists in pages."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest

from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.openapi import Operation, operations
from aybiza.dialogue.tools.paging import hint, next_page
from tests.dialogue.tools.kit import used


def document(*names: str, kind: str = "string") -> dict[str, Any]:
    stated = [{"name": name, "in": "query", "schema": {"type": kind}} for name in names]
    listed = {"operationId": "list", "summary": "Lists.", "parameters": stated}
    return {"openapi": "3.0.3", "paths": {"/list": {"get": listed}}}


def listing(*names: str, kind: str = "string") -> Operation:
    return operations(document(*names, kind=kind))[0]


@pytest.mark.parametrize(
    ("name", "member"),
    [("cursor", "cursor"), ("pageToken", "pageToken"), ("page[after]", "page_after")],
)
def test_a_description_says_which_member_asks_for_the_next_page(name: str, member: str) -> None:
    assert hint(listing("state", name)) == (
        f"A long list comes in pages: `{member}` asks for the next one."
    )


def test_where_nothing_asks_for_a_page_nothing_is_said() -> None:
    assert hint(listing("state", "homepage", "page_size")) == ""
    schema = {"type": "object", "properties": {"page": {}, "start_cursor": {}}}
    body = {"content": {"application/json": {"schema": schema}}}
    stated = {"operationId": "q", "requestBody": body}
    (query,) = operations({"openapi": "3.0.3", "paths": {"/q": {"post": stated}}})
    assert hint(query) == "A long list comes in pages: `start_cursor` asks for the next one."


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://other.example.org/list?page=2&token=secret", {"page": 2}),
        ("?page=last", {"page": "last"}),
        ("?page=" + "9" * 2_000, {}),
        ("?state=open", {}),
        ("https://[", {}),
        ("?" + "a=b&" * 200, {}),
    ],
)
def test_of_a_next_page_only_what_the_input_has_is_told(url: str, page: dict[str, Any]) -> None:
    assert next_page(listing("state", "page", kind="integer"), url) == page


@pytest.mark.parametrize("answer", [[1, 2], {"items": [1, 2]}])
async def test_a_result_has_what_asks_for_the_next_page(
    monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    def handle(asked: httpx.Request) -> httpx.Response:
        link = '<https://other.example.org/list?page=2>; rel="next", </list?page=9>; rel="last"'
        headers = {} if "page" in asked.url.params else {"Link": link}
        return httpx.Response(200, json=answer, headers=headers)

    plain = partial(httpx.AsyncClient, transport=httpx.MockTransport(handle))
    monkeypatch.setattr(httpx, "AsyncClient", plain)
    api = HttpApi("https://api.example.org")
    (tool,) = create_connector("t", {"openapi": document("page", kind="integer")}, api)
    assert tool.description == "Lists.\nA long list comes in pages: `page` asks for the next one."
    first = await used(tool)
    assert first["next_page"] == {"page": 2}
    assert "next_page" not in await used(tool, **first["next_page"])
    await api.aclose()
