"""A model that is talked into it says of no request who asks, of which host, or how it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_auth import bearer
from aybiza.emulators.services import ServicesEmulator
from tests.dialogue.tools.kit import used

HEADERS = [
    *("Authorization", "authorization", "Accept", "Content-Type", "Host", "Cookie"),
    *("Content-Length", "Transfer-Encoding", "Connection", "X-Forwarded-For"),
    *("X-HTTP-Method-Override", "Idempotency-Key"),
]


def document(header: str, *, required: bool) -> dict[str, Any]:
    parameters = [
        {"name": header, "in": "header", "required": required, "schema": {"type": "string"}},
        {"name": "Trace", "in": "header", "schema": {"type": "string"}},
    ]
    described = {"operationId": "find", "parameters": parameters}
    return {"openapi": "3.0.0", "paths": {"/customers": {"get": described}}}


@pytest.mark.parametrize("header", HEADERS)
async def test_a_document_gives_no_such_header_away(
    monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ServicesEmulator() as services:
        api = HttpApi(f"{services.url}/crm", auth=bearer(services.crm.token))
        openapi = document(header, required=False)
        (tool,) = create_connector("crm", {"openapi": openapi}, api)
        assert set(tool.input_schema["properties"]) == {"Trace"}
        await used(tool, Trace="t1")
        (asked,) = services.journal
        assert asked.headers["trace"] == "t1"
        assert asked.headers["authorization"] == f"Bearer {services.crm.token}"
        await api.aclose()


@pytest.mark.parametrize("header", ["Host", "cookie", "Transfer-Encoding"])
async def test_an_operation_that_needs_one_is_refused(header: str) -> None:
    api = HttpApi("http://127.0.0.1:9/crm")
    with pytest.raises(ValueError, match="not an input's to say"):
        create_connector("crm", {"openapi": document(header, required=True)}, api)
    described = {
        "method": "GET",
        "path": "/customers",
        "input_schema": {"type": "object", "properties": {header: {"type": "string"}}},
        "places": {header: "header"},
    }
    with pytest.raises(ValueError, match="not an input's to say"):
        create_connector("crm", {"operations": [described]}, api)
    await api.aclose()
