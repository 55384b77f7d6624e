"""The services' port: who may ask, what is noted, what goes wrong on demand."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.ses import PATH
from tests.emulators.services.kit import signed

MAIL = {
    "FromEmailAddress": "a@example.org",
    "Destination": {"ToAddresses": ["b@example.org"]},
    "Content": {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "There"}}}},
}


async def send(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(PATH, json=MAIL, headers=signed("ses"))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        (signed("lambda"), "InvalidSignatureException"),
    ],
)
async def test_requests_have_to_be_signed_for_their_service(
    client: httpx.AsyncClient, headers: dict[str, str], code: str
) -> None:
    answer = await client.post(PATH, json=MAIL, headers=headers)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, code)


async def test_what_was_asked_is_noted(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    await send(client)
    await client.get("/crm/customers", params={"identifier": "1"})
    first, second = services.journal
    assert (first.service, first.method, first.body, first.status) == ("ses", "POST", MAIL, 200)
    assert (second.path, second.body, second.status) == ("/crm/customers?identifier=1", None, 401)


async def test_the_next_request_of_a_service_fails_on_demand(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.fail("ses", 429, "TooManyRequestsException")
    assert (await client.get("/crm/openapi.json")).status_code == 200
    refused = await send(client)
    assert refused.status_code == 429
    assert refused.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert not services.mail.messages
    assert (await send(client)).status_code == 200


async def test_a_lost_answer_is_to_a_request_that_was_done(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.drop("ses")
    with pytest.raises(httpx.TransportError):
        await send(client)
    assert len(services.mail.messages) == 1
    assert services.journal[-1].status == 0


async def test_a_service_stalls_and_goes_on(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.stall("ses", 0.1)
    began = asyncio.get_running_loop().time()
    assert (await send(client)).status_code == 200
    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_broken_body_does_not_break_the_server(client: httpx.AsyncClient) -> None:
    for service, path in (
        ("ses", PATH),
        ("lambda", "/2015-03-31/functions/execute-code/invocations"),
    ):
        answer = await client.post(path, content=b"{", headers=signed(service))
        assert answer.status_code == 400


async def test_it_ends_with_requests_under_way(services: ServicesEmulator) -> None:
    services.stall("crm")
    async with httpx.AsyncClient(base_url=services.url, trust_env=False) as client:
        task = asyncio.create_task(client.get("/crm/openapi.json"))
        while not services.journal:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await services.stop()
        await services.stop()
        with pytest.raises(httpx.TransportError):
            await task


async def test_the_environment_leads_to_it(services: ServicesEmulator) -> None:
    environment = services.environment()
    assert environment["AWS_ENDPOINT_URL_LAMBDA"] == services.url
    assert environment["CRM_TOKEN"] == services.crm.token
