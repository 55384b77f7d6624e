"""Who asks: what is added to requests, and that no secret shows."""

from __future__ import annotations

import httpx
import pytest

from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.http_auth import (
    Auth,
    ClientCredentials,
    anonymous,
    api_key,
    basic,
    bearer,
)
from aybiza.emulators.services import ServicesEmulator

CASES = [
    (anonymous(), {}, {}),
    (bearer("s3cret"), {"Authorization": "Bearer s3cret"}, {}),
    (basic("me", "s3cret"), {"Authorization": "Basic bWU6czNjcmV0"}, {}),
    (api_key("X-Key", "s3cret"), {"X-Key": "s3cret"}, {}),
    (api_key("key", "s3cret", "query"), {}, {"key": "s3cret"}),
]


@pytest.mark.parametrize(("auth", "headers", "query"), CASES)
async def test_fixed_members_are_added_and_never_shown(
    auth: Auth, headers: dict[str, str], query: dict[str, str]
) -> None:
    async with httpx.AsyncClient() as client:
        members = await auth.members(client)
    assert (members.headers, members.query) == (headers, query)
    assert "s3cret" not in repr(auth) + repr(members)
    assert auth.refused() is False


async def test_a_token_is_fetched_once_and_anew_when_it_expires(
    services: ServicesEmulator,
) -> None:
    now = [0.0]
    auth = ClientCredentials(f"{services.url}/crm/token", "id", "s3cret", clock=lambda: now[0])
    async with httpx.AsyncClient() as client:
        first = await auth.members(client)
        assert await auth.members(client) == first
        assert len(services.journal) == 1
        services.crm.rotate()
        now[0] = 3600.0
        assert await auth.members(client) != first
    assert len(services.journal) == 2


async def test_a_refused_token_is_fetched_anew_and_only_once(services: ServicesEmulator) -> None:
    auth = ClientCredentials(f"{services.url}/crm/token", "id", "s3cret")
    async with httpx.AsyncClient() as client:
        first = await auth.members(client)
        services.crm.rotate()
        assert auth.refused() is True
        assert auth.refused() is False
        assert await auth.members(client) != first


async def test_a_token_that_cannot_be_had_is_told_without_the_secret(
    services: ServicesEmulator,
) -> None:
    services.fail("crm", 500)
    auth = ClientCredentials(f"{services.url}/crm/token", "id", "s3cret")
    async with httpx.AsyncClient() as client:
        with pytest.raises(ToolError) as caught:
            await auth.members(client)
    assert caught.value.code == "not_allowed"
    assert "s3cret" not in str(caught.value)
