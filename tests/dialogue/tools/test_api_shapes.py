"""Shapes of APIs that people have: each small document, and what one use of it sends."""

from __future__ import annotations

import re
from email import message_from_bytes
from typing import Any

import httpx
import pytest

from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.http_api import HttpApi
from tests.dialogue.tools.api_shapes import FORM, SHAPES, Shape, body, document, path, query
from tests.dialogue.tools.kit import used

MEMBER = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


class Server:
    """Answers every request and keeps it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[httpx.Request] = []
        plain = httpx.AsyncClient

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(200, json={"ok": True})

        def client(**options: Any) -> httpx.AsyncClient:
            return plain(**options, transport=httpx.MockTransport(handle))

        monkeypatch.setattr(httpx, "AsyncClient", client)
        self.api = HttpApi("https://api.example.org")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def tools(server: Server, document: dict[str, Any], **config: Any) -> dict[str, Tool]:
    made = create_connector("t", {"openapi": document, **config}, server.api)
    ToolRegistry(made)
    return {tool.name: tool for tool in made}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_a_use_sends_what_the_document_says(server: Server, shape: Shape) -> None:
    wanted = shape.tool if len(shape.tool) < 60 else "x" * 60 + "_2"
    tool = tools(server, shape.document)[f"t_{wanted}"]
    assert all(MEMBER.fullmatch(name) for name in tool.input_schema["properties"])
    assert await used(tool, **shape.given) == {"ok": True}
    [request] = server.requests
    assert request.url.raw_path.decode() == shape.target
    assert request.content.decode() == shape.sent


def test_there_are_as_many_shapes_as_were_promised() -> None:
    assert len(SHAPES) >= 20


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an upload": (
        {"post": {"requestBody": body("multipart/form-data", {"file": {}})}},
        "multipart",
    ),
    "XML": ({"post": {"requestBody": body("application/xml")}}, "application/xml"),
    "a form of nothing": ({"post": {"requestBody": body(FORM)}}, "form"),
    "a matrix": ({"get": {"parameters": [query("a", style="matrix", required=True)]}}, "matrix"),
    "a cookie": (
        {"get": {"parameters": [{"name": "a", "in": "cookie", "required": True}]}},
        "cookie",
    ),
    "another file": ({"get": {"parameters": [{"$ref": "other.json#/a"}]}}, "out of the document"),
    "an enormous schema": (
        {"post": {"requestBody": body("application/json", {"a": {"enum": ["x" * 99] * 999}})}},
        "bytes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_sent_is_left_out_by_name_and_the_rest_is_offered(
    server: Server, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    item, why = REFUSED[name]
    [(method, stated)] = item.items()
    described = document(
        {
            "/bad": {method: {"operationId": "bad", **stated}},
            "/good": {"get": {"operationId": "good"}},
        }
    )
    assert list(tools(server, described)) == ["t_good"]
    told = capsys.readouterr().out
    assert "operations_left_out" in told
    assert "bad" in told
    assert why in told
    assert list(tools(server, described, only=["good"])) == ["t_good"]
    with pytest.raises(ValueError, match=f"bad: .*{why}"):
        tools(server, described, only=["bad"])


async def test_a_large_schema_is_cut_with_a_note(server: Server) -> None:
    def nested(levels: int) -> dict[str, Any]:
        inner = nested(levels - 1) if levels else {"type": "string", "description": "x" * 50}
        return {"type": "object", "properties": {f"member{n}": inner for n in range(6)}}

    described = document(
        {
            "/big": {
                "post": {
                    "operationId": "big",
                    "requestBody": body("application/json", {"a": nested(4)}),
                }
            }
        }
    )
    tool = tools(server, described)["t_big"]
    assert "too large to be described" in tool.description
    assert await used(tool, a={"member0": {"anything": 1}}) == {"ok": True}


def test_a_path_that_would_extend_the_host_is_refused(server: Server) -> None:
    schema = {"type": "object", "properties": {"id": {}}, "required": ["id"]}
    described = {"method": "GET", "path": "{id}.evil.example/", "input_schema": schema}
    with pytest.raises(ValueError, match="begin with a slash"):
        create_connector("t", {"operations": [described]}, server.api)
    with pytest.raises(ValueError, match="begin with a slash"):
        tools(server, document({"{id}": {"get": {"parameters": [path("id")]}}}))


async def test_a_multipart_form_is_sent_part_by_part(server: Server) -> None:
    members = {"to": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}
    members["more"] = {"type": "object"}
    stated = {"operationId": "send", "requestBody": body("multipart/form-data", members)}
    tool = tools(server, document({"/send": {"post": stated}}))["t_send"]
    given: dict[str, Any] = {"to": 'Zoë\r\n"', "tags": ["a", "b"], "more": {"n": 1}}
    assert await used(tool, **given) == {"ok": True}
    [request] = server.requests
    message = message_from_bytes(
        b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + request.content
    )
    assert [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
        for part in message.walk()
        if not part.is_multipart()
    ] == [
        ("to", given["to"].encode()),
        ("tags", b"a"),
        ("tags", b"b"),
        ("more", b'{"n": 1}'),
    ]
    assert b"filename" not in request.content
    assert request.content.count(b"Content-Type: application/json") == 1
