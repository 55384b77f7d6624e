"""A business system with customers and appointments, over HTTP, and its OpenAPI description.

    GET    /crm/openapi.json
    GET    /crm/customers?identifier=…       a customer by number or telephone number
    PATCH  /crm/customers/{customer_id}      {"note": …}
    GET    /crm/appointments/free?day=…      the start times that are free
    POST   /crm/appointments                 {"customer_id", "start", "reason"}
    POST   /crm/token                        OAuth 2 client credentials (any)

Contract: requests carry `Authorization: Bearer <token>`; a POST with the `Idempotency-Key` of an
earlier one answers what that one did. `rotate` makes the token void.
Source: OpenAPI 3.1; RFC 6749 section 4.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, Refused, as_json

PREFIX: Final = "/crm"
TIMES: Final = ("09:00", "10:30", "14:00", "15:30")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

_ERROR: Final = {"type": "object", "properties": {"message": {"type": "string"}}}


class Crm:
    """See the module."""

    def __init__(self) -> None:
        self.token = "crm-token-1"
        self.customers: dict[str, dict[str, Any]] = {
            "41573": {"customer_id": "41573", "name": "Maria Lopez", "phone": "+14155550123"},
            "20418": {"customer_id": "20418", "name": "John Smith", "phone": "+14155550144"},
        }
        self.appointments: list[dict[str, Any]] = []
        self._made: dict[str, dict[str, Any]] = {}
        self._issued = 1

    def rotate(self) -> None:
        """The token is void; `/crm/token` gives the next."""
        self._issued += 1
        self.token = f"crm-token-{self._issued}"

    async def serve(self, request: HttpRequest) -> Answer:
        """Any request below `/crm`."""
        path = request.target.path.removeprefix(PREFIX)
        if path == "/openapi.json":
            return as_json(OPENAPI)
        if path == "/token" and request.method == "POST":
            if not request.headers.get("authorization", "").startswith("Basic "):
                raise Refused(401, "invalid_client", "client credentials are missing")
            return as_json({"access_token": self.token, "token_type": "Bearer", "expires_in": 3600})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, "unauthorized", "a valid bearer token is needed")
        for method, pattern, serve in _ROUTES:
            route = re.fullmatch(pattern, path)
            if route and method == request.method:
                return serve(self, request, unquote(route[1]) if route.groups() else "")
        raise Refused(404, "not_found", f"no {request.method} {path}")

    def _find(self, request: HttpRequest, _: str) -> Answer:
        wanted = _query(request, "identifier")
        digits = re.sub(r"\D", "", wanted)
        for customer in self.customers.values():
            if wanted == customer["customer_id"] or (
                len(digits) >= 10 and customer["phone"].endswith(digits[-10:])
            ):
                return as_json(customer)
        raise Refused(404, "not_found", "no such customer")

    def _note(self, request: HttpRequest, customer_id: str) -> Answer:
        customer = self.customers.get(customer_id)
        if customer is None:
            raise Refused(404, "not_found", "no such customer")
        customer["note"] = str(_body(request).get("note", ""))
        return as_json(customer)

    def _free(self, request: HttpRequest, _: str) -> Answer:
        day = _query(request, "day")
        if not _DAY.fullmatch(day):
            raise Refused(400, "bad_request", "day must be YYYY-MM-DD")
        taken = {made["start"] for made in self.appointments}
        starts = [f"{day}T{time}" for time in TIMES]
        return as_json({"day": day, "free": [start for start in starts if start not in taken]})

    def _book(self, request: HttpRequest, _: str) -> Answer:
        key = request.headers.get("idempotency-key", "")
        if key in self._made:
            return as_json(self._made[key], 200)
        asked = _body(request)
        customer, start = str(asked.get("customer_id", "")), str(asked.get("start", ""))
        if customer not in self.customers:
            raise Refused(404, "not_found", "no such customer")
        if any(made["start"] == start for made in self.appointments):
            raise Refused(409, "conflict", "this time is taken")
        made = {
            "appointment_id": f"A{1001 + len(self.appointments)}",
            "customer_id": customer,
            "start": start,
            "reason": str(asked.get("reason", "")),
        }
        self.appointments.append(made)
        if key:
            self._made[key] = made
        return as_json(made, 201)


def _query(request: HttpRequest, name: str) -> str:
    return parse_qs(request.target.query).get(name, [""])[0]


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "bad_request", "a JSON object is needed")
    return asked


_ROUTES: Final[list[tuple[str, str, Callable[[Crm, HttpRequest, str], Answer]]]] = [
    ("GET", "/customers", Crm._find),
    ("PATCH", "/customers/([^/]+)", Crm._note),
    ("GET", "/appointments/free", Crm._free),
    ("POST", "/appointments", Crm._book),
]

_CUSTOMER_ANSWER: Final = {
    "description": "The customer",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Customer"}}},
}
_NOT_FOUND: Final = {
    "description": "No such customer",
    "content": {"application/json": {"schema": _ERROR}},
}

OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Demonstration CRM", "version": "1"},
    "components": {
        "schemas": {
            "Customer": {
                "type": "object",
                "required": ["customer_id", "name"],
                "properties": {
                    "customer_id": {"type": "string"},
                    "name": {"type": "string"},
                    "phone": {"type": "string"},
                    "note": {"type": "string"},
                },
            }
        }
    },
    "paths": {
        "/customers": {
            "get": {
                "operationId": "findCustomer",
                "summary": "Find a customer by number or telephone number.",
                "parameters": [
                    {
                        "name": "identifier",
                        "in": "query",
                        "required": True,
                        "description": "Customer number or telephone number",
                        "schema": {"type": "string", "minLength": 1},
                    }
                ],
                "responses": {"200": _CUSTOMER_ANSWER, "404": _NOT_FOUND},
            }
        },
        "/customers/{customer_id}": {
            "parameters": [
                {
                    "name": "customer_id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                }
            ],
            "patch": {
                "operationId": "noteOnCustomer",
                "summary": "Write a note to a customer's record.",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["note"],
                                "properties": {"note": {"type": "string", "maxLength": 500}},
                            }
                        }
                    },
                },
                "responses": {"200": _CUSTOMER_ANSWER, "404": _NOT_FOUND},
            },
        },
    },
}
