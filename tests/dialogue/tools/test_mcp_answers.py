"""What becomes of the answers of servers of the Model Context Protocol; no process is started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from mcp import MCPError
from structlog.testing import capture_logs

from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools import mcp_server
from aybiza.dialogue.tools.mcp_listed import MOST_TOOLS
from aybiza.dialogue.tools.mcp_server import (
    MOST_CALLS,
    MOST_PAGES,
    RESULT_CHARACTERS,
    McpServer,
    result_of,
)
from tests.cases import each

SCHEMA = {"type": "object"}


def result(*texts: str, error: bool = False, structured: Any = None) -> Any:
    content = [SimpleNamespace(type="text", text=text) for text in texts]
    return SimpleNamespace(content=content, is_error=error, structured_content=structured)


def tools(*names: str, schema: dict[str, Any] = SCHEMA) -> list[Any]:
    return [SimpleNamespace(name=name, description=None, input_schema=schema) for name in names]


class Answers:
    """A client whose server lists these pages, and answers or raises this."""

    def __init__(self, pages: list[list[Any]], answer: Any = None) -> None:
        self.pages, self.answer = pages, answer
        self.asked: list[str | None] = []

    async def list_tools(self, cursor: str | None) -> Any:
        self.asked.append(cursor)
        here = int(cursor or 0)
        more = str(here + 1) if here + 1 < len(self.pages) else None
        return SimpleNamespace(tools=self.pages[here], next_cursor=more)

    async def call_tool(self, name: str, given: dict[str, Any]) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def unreached(ended: Any) -> Any:
    raise ConnectionError("no server is started")


@pytest.fixture
async def server() -> AsyncIterator[McpServer]:
    made = McpServer("desk", unreached)
    yield made
    made.close()


async def reached(server: McpServer, client: Any) -> None:
    await server._list(client)
    server._client = client
    server._ready.set()


@each(
    [
        (result("a", "b"), {"text": "a\nb"}),
        (result('{"seats": 2}'), {"seats": 2}),
        (result("[1]"), {"text": "[1]"}),
        (result("x", structured={"seats": 3}), {"seats": 3}),
        (result(), {"text": ""}),
    ]
)
def test_a_result_is_an_object(given: Any, told: dict[str, Any]) -> None:
    assert result_of(given) == told


@each(
    [
        (result("No   such\nday.", error=True), "failed_there", "No such day."),
        (result(error=True), "failed_there", "The system says that it did not work."),
        (result("x" * (RESULT_CHARACTERS + 1)), "too_much", "Ask for less"),
    ]
)
def test_a_result_that_cannot_be_told_is_refused_in_words(
    given: Any, code: str, message: str
) -> None:
    with pytest.raises(ToolError, match=message) as refused:
        result_of(given)
    assert refused.value.code == code


async def test_all_pages_of_a_list_are_read_and_no_more_than_may_be(server: McpServer) -> None:
    short = Answers([tools("a"), tools("b")])
    await server._list(short)
    assert [tool.name for tool in server.listed] == ["a", "b"]
    assert short.asked == [None, "1"]
    endless = Answers([tools(f"t{n}") for n in range(MOST_PAGES + 5)])
    await server._list(endless)
    assert len(endless.asked) == MOST_PAGES


async def test_more_tools_than_are_taken_are_logged_and_named(server: McpServer) -> None:
    long = Answers([tools(*(f"t{n}" for n in range(MOST_TOOLS + 1))), tools("more")])
    with capture_logs() as logs:
        await server._list(long)
    assert (len(server.listed), list(server.left_out)) == (MOST_TOOLS, ["t200", "more"])
    assert [(line["event"], line["count"]) for line in logs] == [("mcp_tools_left_out", 2)]


async def test_a_tool_that_is_named_is_found_behind_as_many_as_there_may_be() -> None:
    server = McpServer("desk", lambda _: None, only=["wanted"])  # type: ignore[arg-type,return-value]
    with capture_logs() as logs:
        await server._list(Answers([tools(*(f"t{n}" for n in range(MOST_TOOLS))), tools("wanted")]))
    assert [tool.name for tool in server.listed] == ["wanted"]
    assert not logs
    server.close()


async def test_of_two_tools_with_one_name_the_first_is_run(server: McpServer) -> None:
    await reached(server, Answers([[*tools("a"), *tools("a", schema={})]], result("done")))
    assert await server._call("a", {}, 1.0) == {"text": "done"}
    assert server.left_out == {"a (again)": "it has told one before"}


async def test_a_tool_that_has_changed_is_logged_by_name_and_one_that_has_not_is_not(
    server: McpServer,
) -> None:
    await reached(server, Answers([tools("a", "b")]))
    with capture_logs() as logs:
        await server._list(Answers([tools("a", "b")]))
        assert not logs
        changed = [*tools("a"), *tools("b", schema={})]
        await server._list(Answers([changed]))
    assert [line["tools"] for line in logs] == [["b"]]


async def test_a_refusal_is_told_in_the_servers_words_and_is_an_answer(server: McpServer) -> None:
    code = next(iter(mcp_server._REFUSALS))
    await reached(server, Answers([tools("a")], MCPError(code=code, message="seats is too high")))
    for _ in range(mcp_server.HUNG + 1):
        with pytest.raises(ToolError, match="seats is too high") as refused:
            await server._call("a", {}, 5.0)
        assert refused.value.code == "refused"
    assert not server._lost


async def test_a_server_that_answers_nothing_is_left(server: McpServer) -> None:
    await reached(server, Answers([tools("a")], ConnectionError("gone")))
    for _ in range(mcp_server.HUNG):
        with pytest.raises(ConnectionError):
            await server._call("a", {}, 5.0)
    assert "has answered nothing" in server._lost


async def test_more_calls_than_a_server_is_given_at_once_are_refused(server: McpServer) -> None:
    await reached(server, Answers([tools("a")], result("done")))
    server._running = MOST_CALLS
    with pytest.raises(ToolError, match=r"is busy\. Nothing was done"):
        await server._call("a", {}, 5.0)
    server._running = 0
    assert await server._call("a", {}, 5.0) == {"text": "done"}


@each(
    [
        (ExceptionGroup("", [ExceptionGroup("", [OSError("no file")])]), "OSError: no file"),
        (ExceptionGroup("", [TimeoutError()]), "it does not answer within"),
        (KeyError(), "KeyError"),
    ]
)
def test_the_innermost_reason_is_told(error: Exception, told: str) -> None:
    assert mcp_server._told(error).startswith(told)


def test_closing_twice_is_closing_once() -> None:
    made = McpServer("desk", unreached)
    made.close()
    made.close()
    assert made._loop.is_closed()
