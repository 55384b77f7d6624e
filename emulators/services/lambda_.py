"""AWS Lambda's Invoke, with functions of one's own.

Contract: `Functions.add(name, function)` makes an async function from payload to answer callable;
`execute-code` is there from the start and runs Python (`aybiza.emulators.services.python_runner`)
for at most `seconds`. A
function that raises is answered as Lambda does it: status 200, `X-Amz-Function-Error: Unhandled`.
Source: AWS Lambda, Invoke.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services import python_runner
from aybiza.emulators.services.answer import Answer, Refused, as_json

ROUTE: Final = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
EXECUTE_CODE: Final = "execute-code"

Function = Callable[[Any], Awaitable[Any]]


class Functions:
    """See the module."""

    def __init__(self) -> None:
        self.seconds = python_runner.SECONDS
        self._functions: dict[str, Function] = {EXECUTE_CODE: self._execute_code}

    def add(self, name: str, function: Function) -> None:
        """Let `function` be invoked by this name."""
        self._functions[name] = function

    async def serve(self, request: HttpRequest) -> Answer:
        """Invoke, RequestResponse or DryRun."""
        route = ROUTE.fullmatch(request.target.path)
        name = unquote(route["name"]).rpartition(":")[2] if route else ""
        function = self._functions.get(name)
        if function is None:
            raise Refused(404, "ResourceNotFoundException", f"Function not found: {name}")
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return Answer(204, [], b"")
        if kind != "RequestResponse":
            raise Refused(400, "InvalidParameterValueException", f"not emulated: {kind}")
        try:
            payload = json.loads(request.body) if request.body else None
        except ValueError as fault:
            raise Refused(400, "InvalidRequestContentException", str(fault)) from None
        try:
            return as_json(await function(payload))
        except Exception as failure:
            told = {"errorMessage": str(failure), "errorType": type(failure).__name__}
            made = as_json(told)
            headers = [*made.headers, ("X-Amz-Function-Error", "Unhandled")]
            return Answer(200, headers, made.body)

    async def _execute_code(self, payload: Any) -> dict[str, Any]:
        """Run `{"code", "language"}`."""
        language = payload.get("language", "python")
        if language != "python":
            raise ValueError(f"language {language!r} is not known here; there is: python")
        return await python_runner.run(str(payload["code"]), self.seconds)
