"""Answers of AWS services, read no further than a limit of bytes.

    client = session.client("kendra")
    bounded(client, 8 * 1024 * 1024)

botocore reads a whole answer before anybody can look at it, an error's too, for as long as bytes
come: a service that is not what it should be, behind an endpoint of one's own, fills the memory of
a node with one answer. Event streams and the bodies of files have the same limit in all.

Contract: `bounded` says whether botocore allowed it, before the client's first request; its
attribute that leads there is private. Off the event loop. Errors: what is too long is an
`HTTPClientError` of botocore's, a `BotoCoreError`, from the operation or from reading its body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog

ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Of services that tell something; the longest that is honest has 1 MB."""

log = structlog.get_logger(__name__)


def bounded(client: Any, most: int = ANSWER_BYTES) -> bool:
    """See the module."""
    try:
        transport = client._endpoint.http_session.send
        events = client.meta.events
    except AttributeError:
        log.warning("aws_answers_unbounded", effect="an answer that has no end fills the memory")
        return False
    events.register("before-send", _sender(transport, most))
    return True


def _sender(transport: Callable[[Any], Any], most: int) -> Callable[..., Any]:
    from botocore.awsrequest import AWSResponse

    def send(request: Any, **_: Any) -> Any:
        # Or the whole of it would be read before it is given to anybody.
        request.stream_output = True
        answer = transport(request)
        body = Bounded(answer.raw, most)
        return AWSResponse(answer.url, answer.status_code, answer.headers, body)

    return send


class Bounded:
    """The body of an answer: what botocore reads of urllib3's, counted."""

    def __init__(self, body: Any, most: int) -> None:
        self._body = body
        self._left = most
        self._most = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def stream(self, *args: Any, **options: Any) -> Iterator[bytes]:
        """Its pieces."""
        return map(self._counted, self._body.stream(*args, **options))

    def read(self, amount: int | None = None, **options: Any) -> bytes:
        """So many of its bytes; without an amount all."""
        if amount is None:
            return b"".join(self.stream())
        return self._counted(self._body.read(amount, **options))

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            from botocore.exceptions import HTTPClientError

            self._body.close()
            raise HTTPClientError(error=f"the answer is longer than {self._most:,} bytes")
        return piece
