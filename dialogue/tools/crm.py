"""Customers and appointments: what a front desk looks up and books in a business system.

Contract: `HttpCrm` speaks to the system over HTTP; the tools take any functions of these shapes, so
another system needs three functions and no other code:

    find(identifier)                      the customer, or None
    free(day)                             the start times that are free on a day (ISO 8601)
    book(customer_id, start, reason, key) the appointment that was made; with the same `key` it is
                                          made once

Errors: `ToolError` (`not_found`, `conflict`, `unreachable` …) for the model.
Source: specification 001, "Tool Integration Examples" (`crm_lookup_tool`,
`appointment_booking_tool`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aybiza.dialogue.tool_registry import Tool, ToolError
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.connectors import idempotency_key
from aybiza.dialogue.tools.http_api import HttpApi

Record: TypeAlias = Mapping[str, Any]
Find: TypeAlias = Callable[[str], Awaitable[Record | None]]
Free: TypeAlias = Callable[[str], Awaitable[list[str]]]
Book: TypeAlias = Callable[[str, str, str, str], Awaitable[Record]]

_DAY = {"type": "string", "format": "date", "description": "The day, as YYYY-MM-DD"}
_START = {"type": "string", "maxLength": 40, "description": "The start, as free_times gave it"}
_OBJECT = {"type": "object"}


class HttpCrm:
    """A business system with `GET /customers?identifier=`, `GET /appointments/free?day=` and
    `POST /appointments`."""

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    async def find(self, identifier: str) -> Record | None:
        """The customer with this id or telephone number."""
        try:
            found = await self._api.call("GET", "/customers", query={"identifier": identifier})
        except ToolError as refused:
            if refused.code == "not_found":
                return None
            raise
        return _record(found)

    async def free(self, day: str) -> list[str]:
        """The start times that are free on a day."""
        answer = _record(await self._api.call("GET", "/appointments/free", query={"day": day}))
        return [str(start) for start in answer.get("free", [])]

    async def book(self, customer_id: str, start: str, reason: str, key: str) -> Record:
        """The appointment that was made."""
        body = {"customer_id": customer_id, "start": start, "reason": reason}
        return _record(
            await self._api.call("POST", "/appointments", body=body, idempotency_key=key)
        )


def crm_lookup_tool(find: Find) -> Tool:
    """`lookup_customer`: who somebody is."""

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        identifier = given.get("identifier", "").strip() or use.caller
        if not identifier:
            raise ToolError("who", "A customer number or a telephone number is needed.")
        found = await find(identifier)
        if found is None:
            raise ToolError("not_found", "There is no customer with this number.")
        return {"customer": dict(found)}

    return Tool(
        name="lookup_customer",
        description="Look a customer up. Without an identifier: whoever the caller's number is.",
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "identifier": {
                    "type": "string",
                    "maxLength": 64,
                    "description": "Customer number or telephone number",
                }
            },
        },
        output_schema={
            "type": "object",
            "properties": {"customer": _OBJECT},
            "required": ["customer"],
        },
    )


def free_times_tool(free: Free) -> Tool:
    """`free_times`: what can be booked."""

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"day": given["day"], "free": await free(given["day"])}

    return Tool(
        name="free_times",
        description="The free appointment times of a day.",
        run=run,
        input_schema={"type": "object", "properties": {"day": _DAY}, "required": ["day"]},
    )


def appointment_booking_tool(book: Book) -> Tool:
    """`book_appointment`: a write, so the caller is asked first."""

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        made = await book(
            given["customer_id"], given["start"], given.get("reason", ""), idempotency_key(use)
        )
        return {"booked": dict(made)}

    return Tool(
        name="book_appointment",
        description="Book a free time for a customer.",
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "customer_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 64,
                    "description": "The customer, as lookup_customer gave it",
                },
                "start": _START,
                "reason": {"type": "string", "maxLength": 200, "description": "What it is for"},
            },
            "required": ["customer_id", "start"],
        },
        output_schema={
            "type": "object",
            "properties": {"booked": _OBJECT},
            "required": ["booked"],
        },
        effect="write",
        seconds=8.0,
    )


def _record(answer: object) -> Record:
    if not isinstance(answer, Mapping):
        raise TypeError("the system answered no JSON object")
    return answer
