"""Kendra's Query."""

from __future__ import annotations

from typing import Any

import httpx

from aybiza.emulators.services import ServicesEmulator
from tests.emulators.services.kit import signed

TARGET = {"x-amz-target": "AWSKendraFrontendService.Query"}


async def query(client: httpx.AsyncClient, **asked: Any) -> httpx.Response:
    return await client.post("/", json=asked, headers={**signed("kendra"), **TARGET})


async def test_documents_with_the_most_words_come_first(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.documents.add("index", "Parking", "It is free.")
    services.documents.add("index", "Free parking", "Behind the house.")
    services.documents.add("index", "Fees", "None.")
    answer = (await query(client, IndexId="index", QueryText="free parking house")).json()
    titles = [item["DocumentTitle"]["Text"] for item in answer["ResultItems"]]
    assert titles == ["Free parking", "Parking"]
    assert answer["TotalNumberOfResults"] == 2
    one = (await query(client, IndexId="index", QueryText="free", PageSize=1)).json()
    assert (len(one["ResultItems"]), one["TotalNumberOfResults"]) == (1, 2)


async def test_an_unknown_index_and_a_query_without_one_are_refused(
    client: httpx.AsyncClient,
) -> None:
    unknown = await query(client, IndexId="none", QueryText="x")
    assert unknown.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert (await query(client, QueryText="x")).headers["x-amzn-errortype"] == "ValidationException"


async def test_other_operations_are_not_known(client: httpx.AsyncClient) -> None:
    headers = {**signed("kendra"), "x-amz-target": "AWSKendraFrontendService.Retrieve"}
    answer = await client.post("/", json={}, headers=headers)
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"
