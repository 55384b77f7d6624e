"""A tool asks the host of the operator's file, whatever a model gives it and a server answers."""

from __future__ import annotations

import re

import httpx
import pytest

from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_auth import bearer
from tests.test_repository import modules, texts

BASE = "https://crm.example:8443/v2"
ELSEWHERE = [
    *("http://169.254.169.254/latest/meta-data", "http://127.0.0.1:6379/", "http://[::1]/"),
    *("http://[::ffff:127.0.0.1]/", "http://2130706433/", "//evil.example/", "file:///etc/passwd"),
    *("https://crm.example:8443@evil.example/", "https://evil.example/v2", "http://crm.example/v2"),
]


def api(asked: list[httpx.Request], answer: httpx.Response) -> HttpApi:
    made = HttpApi(BASE, auth=bearer("s3cret"))

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    made._client._transport = httpx.MockTransport(handle)
    made._client._mounts = {}
    return made


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ELSEWHERE)
async def test_a_server_sends_nobody_elsewhere(where: str, status: int) -> None:
    asked: list[httpx.Request] = []
    made = api(asked, httpx.Response(status, headers={"location": where}))
    with pytest.raises(ConnectionError):
        await made.call("GET", "/clients")
    assert [str(request.url) for request in asked] == [f"{BASE}/clients"]
    await made.aclose()


@pytest.mark.parametrize(
    "path",
    [
        *(
            "//evil.example/x",
            "/\\evil.example/x",
            "/@evil.example",
            "/..//evil.example",
            "/../../x",
        ),
        *("/:80@evil.example/", "/%2f%2fevil.example", "/x?@evil.example", "/x#@evil.example"),
        *("/\tevil", "/ evil", "/\x00evil", "/\r\nHost: evil.example", "/é"),
    ],
)
async def test_no_path_leads_to_another_host_scheme_or_port(path: str) -> None:
    asked: list[httpx.Request] = []
    made = api(asked, httpx.Response(204))
    try:
        await made.call("GET", path, query={"host": "evil.example", "@evil.example": "x"})
    except (ToolError, ValueError):
        assert asked == []
    for request in asked:
        assert (request.url.scheme, request.url.host, request.url.port) == (
            *("https", "crm.example", 8443),
        )
        assert request.url.userinfo == b""
        assert request.headers["host"] == "crm.example:8443"
        assert not re.search(rb"[\x00-\x20\x7f]", request.url.raw_path)
    await made.aclose()


def test_nothing_of_the_node_follows_a_redirect() -> None:
    follows = re.compile(r"follow_redirects\s*=\s*(?!False)|allow_redirects\s*=\s*True|urlopen\(")
    beside = ("tests/", "emulators/", "benchmarks/", "faults/")
    ours = [name for name in modules() if not name.startswith(beside)]
    assert {name for name in ours if follows.search(texts()[name])} == set()
