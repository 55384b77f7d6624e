"""What the first request of a client would pay, paid before.

Purpose: botocore loads its endpoint rules, serialisers and parsers, and looks for credentials, at
the first request; urllib3 connects then. Contract: `rehearse(client)` lets a new boto3 client make
a whole streamed request that never leaves the process; `knock(client)` has it open a connection to
its endpoint, by an unsigned request that is answered with a refusal, and keep it. Both block.
Errors: `rehearse` raises what boto3 raises for want of credentials; `knock` raises `OSError`-like
errors of the connection, or `AttributeError` where botocore does not let it be used that way.
Source: botocore, `before-send` event and `URLLib3Session`; Amazon event stream encoding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders

from aybiza.config.aws_answers import Bounded

_OPERATION: Final = "ConverseStream"
_KNOCK_PATH: Final = "/ping"
_KNOCK_BYTES: Final = 64 * 1024
# One whole event, messageStart, so that all that reads a stream is loaded.
_EVENTS: Final = bytes.fromhex(
    "0000007700000052abb5d36e0b3a6576656e742d7479706507000c6d6573736167655374617274"
    "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d657373"
    "6167652d747970650700056576656e747b22726f6c65223a2022617373697374616e74227d5be0d2f5"
)
_REQUEST: Final = {
    "modelId": "rehearsal",
    "messages": [{"role": "user", "content": [{"text": "rehearsal"}]}],
    "inferenceConfig": {"maxTokens": 1},
}


class _Body:
    """The body of the answer to a rehearsal, as urllib3 gives it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield _EVENTS

    def close(self) -> None:
        """Nothing is open."""


def rehearse(client: Any) -> None:
    """See the module. For a client that nobody uses yet."""

    def answer(request: Any, **_: object) -> AWSResponse:
        headers = HTTPHeaders()
        headers["content-type"] = "application/vnd.amazon.eventstream"
        return AWSResponse(request.url, 200, headers, _Body())

    service = client.meta.service_model.service_id.hyphenize()
    event = f"before-send.{service}.{_OPERATION}"
    client.meta.events.register_first(event, answer)
    try:
        with contextlib.closing(client.converse_stream(**_REQUEST)["stream"]) as events:
            for _ in events:
                pass
    finally:
        client.meta.events.unregister(event, answer)


def knock(client: Any) -> None:
    """See the module."""
    request = AWSRequest("GET", client.meta.endpoint_url.rstrip("/") + _KNOCK_PATH)
    asked = request.prepare()
    asked.stream_output = True
    answer = client._endpoint.http_session.send(asked)
    # The whole answer, so that the connection goes back to the client's pool.
    for _ in Bounded(answer.raw, _KNOCK_BYTES).stream():
        pass
