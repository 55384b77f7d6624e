"""The tables of a tools' file."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from aybiza.dialogue.tools.http_auth import ClientCredentials
from aybiza.dialogue.tools.tools_file import AuthTable, ConnectorTable, ToolsFile, members_at

ENVIRONMENT = {"TOKEN": "s3cret"}


def test_an_empty_file_is_one() -> None:
    assert ToolsFile.model_validate({}).crm is None


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"mail": {"sender": "a@b.org", "colour": "red"}}, "colour"),
        ({"crm": {}}, "base_url"),
        ({"knowledge": {}}, "either"),
        ({"knowledge": {"folder": "a", "kendra_index": "b"}}, "either"),
        ({"crm": {"base_url": "https://a", "auth": {"bearer": "not a name"}}}, "bearer"),
        ({"crm": {"base_url": "https://a", "auth": {"bearer": "A", "api_key": "B"}}}, "together"),
        ({"crm": {"base_url": "https://a", "auth": {"basic_user": "A"}}}, "basic_password"),
        ({"crm": {"base_url": "https://a", "auth": {"client_id": "A"}}}, "client_secret"),
    ],
)
def test_what_does_not_belong_is_named(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ToolsFile.model_validate(table)


@pytest.mark.parametrize(
    ("table", "headers", "query"),
    [
        ({}, {}, {}),
        ({"bearer": "TOKEN"}, {"Authorization": "Bearer s3cret"}, {}),
        (
            {"basic_user": "me", "basic_password": "TOKEN"},
            {"Authorization": "Basic bWU6czNjcmV0"},
            {},
        ),
        ({"api_key": "TOKEN"}, {"X-Api-Key": "s3cret"}, {}),
        ({"api_key": "TOKEN", "name": "k", "where": "query"}, {}, {"k": "s3cret"}),
    ],
)
async def test_secrets_come_from_the_environment(
    table: dict[str, Any], headers: dict[str, str], query: dict[str, str]
) -> None:
    auth = AuthTable.model_validate(table).auth(ENVIRONMENT)
    async with httpx.AsyncClient() as client:
        members = await auth.members(client)
    assert (members.headers, members.query) == (headers, query)


def test_client_credentials_are_an_auth_too() -> None:
    table = {"client_id": "me", "client_secret": "TOKEN", "token_url": "https://a/token"}
    assert isinstance(AuthTable.model_validate(table).auth(ENVIRONMENT), ClientCredentials)


def test_a_secret_that_is_not_set_is_named() -> None:
    with pytest.raises(ValueError, match="MISSING is not set"):
        AuthTable(bearer="MISSING").auth(ENVIRONMENT)


@pytest.mark.parametrize(
    ("place", "some"),
    [
        ((), {"crm", "mcp"}),
        (("crm",), {"base_url", "auth"}),
        (("crm", "auth"), {"bearer", "token_url"}),
        (("mcp", "desk"), {"command", "url"}),
    ],
)
def test_the_members_of_a_table_are_known_by_its_place(
    place: tuple[str, ...], some: set[str]
) -> None:
    assert some <= set(members_at(place))
    assert "colour" not in members_at(place)


def connector(**more: Any) -> ConnectorTable:
    return ConnectorTable.model_validate({"base_url": "https://a.example.org", **more})


async def test_cookies_of_the_file_go_with_every_request_and_a_servers_own_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, json={}, headers={"Set-Cookie": "sid=another; Path=/"})

    plain = partial(httpx.AsyncClient, transport=httpx.MockTransport(handle))
    monkeypatch.setattr(httpx, "AsyncClient", plain)
    for table in (connector(cookies={"sid": "TOKEN", "lang": "TOKEN"}), connector()):
        api = table.api(ENVIRONMENT)
        await api.call("GET", "/a")
        await api.call("GET", "/a")
        await api.aclose()
    assert sent == ["sid=s3cret; lang=s3cret"] * 2 + [None] * 2


@pytest.mark.parametrize("value", ["a;b", "a\r\nX: 1", "a b", "é", 'a"'])
def test_a_cookie_that_would_be_more_than_one_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ValueError, match="the cookie 'sid' has a sign") as refused:
        connector(cookies={"sid": "SID"}).api({"SID": value})
    assert value not in str(refused.value)
    with pytest.raises(ValueError, match="variable SID is not set"):
        connector(cookies={"sid": "SID"}).api({})
    with pytest.raises(ValueError, match="'s;d'"):
        connector(cookies={"s;d": "SID"}).api({"SID": "x"})
