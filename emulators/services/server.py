"""One loopback port for the services that tools use.

    async with ServicesEmulator() as services:
        os.environ.update(services.environment())

Contract: Lambda's Invoke, SES v2's SendEmail, Kendra's Query, CloudWatch's PutMetricData, S3's
objects (`aybiza.emulators.services.s3`) and a business system's HTTP API (`/crm`, described by
`/crm/openapi.json`) answer as the services do, and so do Twilio's, SignalWire's and Telnyx's APIs
for calls under way; AWS requests have to be signed for their service, and those for S3 rightly.
`journal` holds what was asked; the next requests can be made to fail (`fail`), to wait (`stall`) or
to lose their connection (`drop`).
Errors: `start` raises `OSError` when the port is taken.
Source: AWS Lambda, Amazon SES v2, Amazon Kendra and Amazon CloudWatch API references; OpenAPI 3.1.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from aybiza.emulators.bedrock.connection import ClientLeft, Connection, HttpRequest
from aybiza.emulators.http_service import HttpService
from aybiza.emulators.services import calls, cloudwatch, kendra, lambda_, s3, ses
from aybiza.emulators.services.answer import Answer, Refused
from aybiza.emulators.services.crm import Crm

log = structlog.get_logger(__name__)

KEPT: Final = 512

_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/\s]+/\d{8}/[a-z0-9-]+/(?P<service>[a-z0-9-]+)/"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: of which service, what, and the status it was answered with (0: none)."""

    service: str
    method: str
    path: str
    body: Any
    status: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Fault:
    service: str
    kind: str
    status: int = 0
    code: str = ""
    seconds: float | None = None


Serve = Callable[[HttpRequest], Awaitable[Answer]]


class ServicesEmulator(HttpService):
    """See the module. `port` 0 takes a free one."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.functions = lambda_.Functions()
        self.mail = ses.Outbox()
        self.documents = kendra.Documents()
        self.metrics = cloudwatch.Metrics()
        self.buckets = s3.Buckets()
        self.crm = Crm()
        self.calls = calls.Calls()
        self.journal: deque[Asked] = deque(maxlen=KEPT)
        self._faults: list[_Fault] = []

    def environment(self) -> dict[str, str]:
        """The variables that lead boto3, and a tools' file, here."""
        return {
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
            "AWS_ENDPOINT_URL_SESV2": self.url,
            "AWS_ENDPOINT_URL_KENDRA": self.url,
            "AWS_ENDPOINT_URL_CLOUDWATCH": self.url,
            "CRM_URL": f"{self.url}/crm",
            "CRM_TOKEN": self.crm.token,
        }

    def fail(self, service: str, status: int, code: str = "") -> None:
        """Answer the next request of `lambda`, `ses`, `kendra`, `cloudwatch`, `s3`, `crm`,
        `twilio`, `signalwire` or `telnyx` with this error."""
        self._faults.append(_Fault(service, "fail", status, code))

    def stall(self, service: str, seconds: float | None = None) -> None:
        """Do what the next request asks, and then say nothing for so long (None: for ever)."""
        self._faults.append(_Fault(service, "stall", seconds=seconds))

    def drop(self, service: str) -> None:
        """Do what the next request asks, and then reset its connection."""
        self._faults.append(_Fault(service, "drop"))

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        service, serve = self._route(request)
        fault = self._fault(service)
        if fault is not None and fault.kind == "fail":
            answer = Refused(fault.status, fault.code or "Fault", "on demand").answer
        else:
            answer = await self._served(service, serve, request)
        status = 0 if fault is not None and fault.kind == "drop" else answer.status
        self._note(service, request, status)
        if fault is not None and fault.kind == "drop":
            connection.reset()
            raise ClientLeft
        if fault is not None and fault.kind == "stall":
            await connection.pause(fault.seconds)
        await connection.answer(answer.status, answer.headers, answer.body)

    async def _served(self, service: str, serve: Serve, request: HttpRequest) -> Answer:
        try:
            if service in _SIGNED:
                _check_signature(_SIGNED[service], request)
            return await serve(request)
        except Refused as refused:
            return refused.answer
        except Exception as failure:
            log.exception("service_failed", service=service)
            return Refused(500, "InternalFailure", repr(failure)).answer

    def _route(self, request: HttpRequest) -> tuple[str, Serve]:
        path = request.target.path
        if s3.is_s3(request):
            return "s3", self.buckets.serve
        if lambda_.ROUTE.fullmatch(path):
            return "lambda", self.functions.serve
        if path == ses.PATH:
            return "ses", self.mail.serve
        for carrier, route in calls.ROUTES.items():
            if route.fullmatch(path):
                return carrier, self.calls.serve
        target = request.headers.get("x-amz-target", "")
        if target.startswith(kendra.TARGET):
            return "kendra", self.documents.serve
        if target.startswith(cloudwatch.TARGET):
            return "cloudwatch", self.metrics.serve
        return "crm", self.crm.serve

    def _fault(self, service: str) -> _Fault | None:
        found = next((fault for fault in self._faults if fault.service == service), None)
        if found is not None:
            self._faults.remove(found)
        return found

    def _note(self, service: str, request: HttpRequest, status: int) -> None:
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            body = None
        target = request.target
        path = f"{target.path}?{target.query}" if target.query else target.path
        self.journal.append(
            Asked(service, request.method, path, body, status, dict(request.headers))
        )


_SIGNED: Final = {
    "lambda": "lambda",
    "ses": "ses",
    "kendra": "kendra",
    "cloudwatch": "monitoring",
}


def _check_signature(service: str, request: HttpRequest) -> None:
    scope = _SCOPE.match(request.headers.get("authorization", ""))
    if scope is None:
        raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    if scope["service"] != service:
        raise Refused(403, "InvalidSignatureException", f"The scope is not {service}.")
