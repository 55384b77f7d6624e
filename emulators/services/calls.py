"""The carriers' HTTP APIs for calls under way: Twilio's, SignalWire's and Telnyx's.

Contract: `Calls.live` holds the ids of calls that are going on, `Calls.ended` those that were
ended, in order. Authentication is what each of them asks for: Basic with account and token,
Bearer with a key. What they refuse they refuse in their words: a wrong key (401), a call of nobody
(404), a call that is over (Twilio 400 with 21220, Telnyx 422 with 90018), another status, a body of
another kind.
Source: Twilio, "Call resource" and "REST API: error dictionary"; SignalWire, "Compatibility API";
Telnyx, "Call Control" and "API errors".
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, as_json

TWILIO: Final = re.compile(r"/2010-04-01/Accounts/(?P<account>[^/]+)/Calls/(?P<call>[^/]+)\.json")
SIGNALWIRE: Final = re.compile(r"/api/laml" + TWILIO.pattern)
TELNYX: Final = re.compile(r"/v2/calls/(?P<call>[^/]+)/actions/hangup")
ROUTES: Final = {"twilio": TWILIO, "signalwire": SIGNALWIRE, "telnyx": TELNYX}

ACCOUNT: Final = "AC" + "0123456789abcdef" * 2
_FORM: Final = "application/x-www-form-urlencoded"


class Calls:
    """See the module. `account` is Twilio's SID and SignalWire's project."""

    def __init__(self) -> None:
        self.account = ACCOUNT
        self.token = "t0ken-of-the-account"
        self.live: set[str] = set()
        self.over: set[str] = set()
        self.ended: list[str] = []

    async def serve(self, request: HttpRequest) -> Answer:
        """End a call."""
        path = request.target.path
        for name, route in ROUTES.items():
            if (found := route.fullmatch(path)) is not None:
                call = unquote(found["call"])
                if name == "telnyx":
                    return self._telnyx(request, call)
                return self._twilio(request, call, unquote(found["account"]))
        raise AssertionError(f"no carrier has {path}")

    def _twilio(self, request: HttpRequest, call: str, account: str) -> Answer:
        given = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}":
            return _twilio_error(401, 20003, "Authenticate")
        if request.headers.get("content-type", "").split(";")[0] != _FORM:
            return _twilio_error(400, 21218, "Invalid ApplicationSid")
        if account != self.account or call not in self.live | self.over:
            return _twilio_error(404, 20404, f"The requested resource {call} was not found")
        status = parse_qs(request.body.decode()).get("Status")
        if status not in (["completed"], ["canceled"]):
            return _twilio_error(400, 21218, "Invalid status")
        if call in self.over:
            return _twilio_error(400, 21220, "Call is not in-progress. Cannot redirect.")
        self._end(call)
        return as_json({"sid": call, "account_sid": account, "status": "completed"})

    def _telnyx(self, request: HttpRequest, call: str) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _telnyx_error(401, "10009", "Authentication failed")
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _telnyx_error(400, "10015", "Bad request")
        if call in self.over:
            return _telnyx_error(422, "90018", "Call has already ended")
        if call not in self.live:
            return _telnyx_error(404, "90015", "Invalid Call Control ID")
        self._end(call)
        return as_json({"data": {"result": "ok"}})

    def _end(self, call: str) -> None:
        self.live.discard(call)
        self.over.add(call)
        self.ended.append(call)


def _twilio_error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return as_json({"code": code, "message": message, "more_info": more, "status": status}, status)


def _telnyx_error(status: int, code: str, title: str) -> Answer:
    error: dict[str, Any] = {"code": code, "title": title, "detail": title}
    return as_json({"errors": [error]}, status)
