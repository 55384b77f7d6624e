"""A DynamoDB that fails, in front of one that works: what goes through it is broken as it is told.

    with faulty(url) as door:
        DynamoDbStore(table, region, door.url, credentials)
        door.fault = "throttled"

`FAULTS` has what each answers. "lost" has the request done, and its answer lost.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.error import HTTPError

_API: Final = "com.amazonaws.dynamodb.v20120810#"
FAULTS: Final = {
    "throttled": (400, f"{_API}ProvisionedThroughputExceededException", "Rate exceeded"),
    "denied": (400, "com.amazon.coral.service#UnrecognizedClientException", "Invalid token"),
    "failing": (500, f"{_API}InternalServerError", "Internal server error"),
}
_PASSED: Final = ("content-type", "x-amz-target", "authorization", "x-amz-date")


class Door(ThreadingHTTPServer):
    """See the module. asked: how many requests have come."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.behind = behind
        self.fault = ""
        self.asked = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        door = self.server
        door.asked += 1
        body = self.rfile.read(int(self.headers["content-length"]))
        if door.fault in FAULTS:
            status, kind, message = FAULTS[door.fault]
            self._answer(status, json.dumps({"__type": kind, "message": message}).encode())
            return
        if door.fault == "hanging":
            door.over.wait(60.0)
            self.close_connection = True
            return
        status, answer = self._passed_on(body)
        if door.fault == "lost":
            self.close_connection = True
            return
        self._answer(status, answer)

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        headers = {name: self.headers[name] for name in _PASSED if self.headers[name]}
        request = urllib.request.Request(self.server.behind, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30.0) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the tests look at what comes of it."""


@contextmanager
def faulty(behind: str) -> Iterator[Door]:
    """See the module."""
    door = Door(behind)
    thread = threading.Thread(target=door.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield door
    finally:
        door.over.set()
        door.shutdown()
        door.server_close()
        thread.join()
