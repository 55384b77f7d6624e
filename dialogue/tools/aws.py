"""AWS services that tools stand on, through boto3 and off the event loop.

    aws = Aws(region="us-east-1")
    answer = await aws.call("sesv2", "send_email", {"FromEmailAddress": …})

Contract: one Session for all services and one client a service, made at its first use or by
`warm`; a few threads of its own, so that a slow service holds up nobody else; every wait has a
limit, nothing is tried again. Endpoints come from boto3's own settings (`AWS_ENDPOINT_URL_SESV2`).
Errors: `ToolError` where the service refused before anything was done; everything else is raised as
it is, because a write may have been done by then. Neither keys nor what is sent stand in the log.
Source: boto3 and botocore configuration and errors.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from aybiza.config.aws_answers import bounded
from aybiza.dialogue.tool_registry import ToolError

THREADS: Final = 8
CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 8.0
_ANSWER_BYTES: Final = 256 * 1024

_BUSY: Final = ("busy", "The service is busy. Try again later.")
_NOT_ALLOWED: Final = ("not_allowed", "The service does not let us in.")
_UNREACHABLE: Final = ("unreachable", "The service cannot be reached at the moment.")
_REFUSED: Final = ("refused", "The service does not take this.")
# By lower-case code, without a trailing "exception".
_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "throttling": _BUSY,
    "toomanyrequests": _BUSY,
    "limitexceeded": _BUSY,
    "accessdenied": _NOT_ALLOWED,
    "unrecognizedclient": _NOT_ALLOWED,
    "invalidsignature": _NOT_ALLOWED,
    "expiredtoken": _NOT_ALLOWED,
    "invalidclienttokenid": _NOT_ALLOWED,
}

log = structlog.get_logger(__name__)


class Aws:
    """See the module. `read_seconds` is a service's longest silence; `session` one to share."""

    def __init__(
        self,
        *,
        region: str,
        threads: int = THREADS,
        read_seconds: float = READ_SECONDS,
        session: boto3.Session | None = None,
    ) -> None:
        self._region = region
        self._config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=threads,
            tcp_keepalive=True,
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="aws-tools")
        self._building = threading.Lock()
        self._session = session
        self._clients: dict[str, Any] = {}

    async def warm(self, *services: str) -> None:
        """Make the clients of these services, so that no call waits for it."""
        loop = asyncio.get_running_loop()
        for service in services:
            await loop.run_in_executor(self._threads, self._client, service)

    async def call(
        self, service: str, operation: str, request: Mapping[str, Any], *, stream: str = ""
    ) -> dict[str, Any]:
        """What `operation` of `service` answers. `stream`: the member of it that is read to its
        end, as bytes.

        Who waits may be cancelled; the thread lets go within the time limits.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._threads, self._call, service, operation, request, stream
            )
        except ClientError as refusal:
            raise self._refusal(service, refusal) from None
        except (EndpointConnectionError, ConnectTimeoutError) as failure:
            self._warn(service, type(failure).__name__)
            raise ToolError(*_UNREACHABLE) from None
        except ParamValidationError as failure:
            self._warn(service, type(failure).__name__)
            raise ToolError(*_REFUSED) from None
        except (NoCredentialsError, PartialCredentialsError) as failure:
            self._warn(service, type(failure).__name__)
            raise ToolError(*_NOT_ALLOWED) from None
        except ReadTimeoutError:
            raise TimeoutError(f"{service} is silent") from None

    def close(self) -> None:
        """End the threads and connections; what a thread is at ends by its own limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    def _call(
        self, service: str, operation: str, request: Mapping[str, Any], stream: str
    ) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._client(service), operation)(**request)
        if stream:
            with answer[stream] as body:
                data = body.read(_ANSWER_BYTES + 1)
            if len(data) > _ANSWER_BYTES:
                raise ToolError("too_much", "There is more than can be told. Ask for less.")
            answer[stream] = data
        return answer

    def _client(self, service: str) -> Any:
        client = self._clients.get(service)
        if client is None:
            # Neither a Session's factory nor a second build of one client is safe in two threads.
            with self._building:
                client = self._clients.get(service)
                if client is None:
                    self._session = self._session or boto3.Session()
                    make: Any = self._session.client
                    client = make(service, region_name=self._region, config=self._config)
                    bounded(client)
                    self._clients[service] = client
        return client

    def _refusal(self, service: str, refusal: ClientError) -> Exception:
        code = str(refusal.response.get("Error", {}).get("Code", ""))
        status = refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        self._warn(service, code)
        found = _REFUSALS.get(code.lower().removesuffix("exception"))
        if found is None and not 400 <= status < 500:
            return ConnectionError(f"{service} answered {status} {code}")
        return ToolError(*(found or _REFUSED))

    def _warn(self, service: str, kind: str) -> None:
        log.warning("aws_service_failed", service=service, kind=kind, region=self._region)
