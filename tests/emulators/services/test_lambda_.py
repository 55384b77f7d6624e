"""Lambda's Invoke."""

from __future__ import annotations

from typing import Any

import httpx

from aybiza.emulators.services import ServicesEmulator
from tests.emulators.services.kit import signed

HEADERS = signed("lambda")


async def invoke(client: httpx.AsyncClient, name: str, payload: Any, **headers: str) -> Any:
    return await client.post(
        f"/2015-03-31/functions/{name}/invocations", json=payload, headers={**HEADERS, **headers}
    )


async def test_python_runs(client: httpx.AsyncClient) -> None:
    answer = await invoke(client, "execute-code", {"code": "6 * 7"})
    assert answer.json()["stdout"] == "42\n"
    assert "x-amz-function-error" not in answer.headers


async def test_a_function_is_found_by_its_arn_too(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    async def double(payload: Any) -> Any:
        return payload * 2

    services.functions.add("double", double)
    arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Adouble"
    assert (await invoke(client, arn, 4)).json() == 8


async def test_a_function_that_raises_is_answered_200_with_the_error(
    client: httpx.AsyncClient,
) -> None:
    answer = await invoke(client, "execute-code", {"code": "1", "language": "cobol"})
    assert answer.status_code == 200
    assert answer.headers["x-amz-function-error"] == "Unhandled"
    assert answer.json()["errorType"] == "ValueError"


async def test_what_is_not_there_or_not_emulated_is_refused(client: httpx.AsyncClient) -> None:
    assert (await invoke(client, "nothing", {})).status_code == 404
    event = await invoke(client, "execute-code", {}, **{"x-amz-invocation-type": "Event"})
    assert event.status_code == 400
    dry = await invoke(client, "execute-code", {}, **{"x-amz-invocation-type": "DryRun"})
    assert dry.status_code == 204
