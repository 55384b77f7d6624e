"""Every path of every listener stands in the table of the doors, and nothing else is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from aybiza.gateway.admission.policy import ELSEWHERE, HTTP, MEDIA, POLICY, WEBSOCKET, paths
from aybiza.gateway.carriers.paths import CARRIERS
from tests.call.kit import world
from tests.security.doors import outside


async def test_every_route_of_the_http_door_has_its_row_and_every_row_its_route(
    tmp_path: Path,
) -> None:
    async with outside(tmp_path) as node:
        routes: list[Any] = node.app.routes
        sockets = [route for route in routes if type(route) is WebSocketRoute]
        pages: list[Any] = [route for route in routes if type(route) is Route]
        assert len(sockets) + len(pages) == len(routes)
        answered = {(method, page.path) for page in pages for method in page.methods - {"HEAD"}}
        answered |= {(WEBSOCKET, route.path) for route in sockets}
    assert answered == {(row.method, row.path) for row in paths(HTTP)}


async def test_every_path_of_the_media_door_has_its_row(tmp_path: Path) -> None:
    names = ",".join(CARRIERS)
    async with world(tmp_path, AYBIZA_CARRIERS=names, AYBIZA_AUDIOSOCKET_PORT="0") as place:
        base = place.node.media_url.removesuffix("/media")
        for row in paths(MEDIA):
            async with connect(base + row.path, proxy=None):
                pass
        for path in ("/", "/media/", "/media/other", "/metrics", "/incoming"):
            with pytest.raises(InvalidStatus) as refusal:
                async with connect(base + path, proxy=None):
                    pass
            assert refusal.value.response.status_code == 404
        listeners = {row.listener for row in POLICY}
        doors = {"media": place.node.media_url, "http": place.node.http_url}
        doors["audiosocket"] = place.node.audio_socket
        assert {*doors, "cluster"} == listeners
        assert all(doors.values())


def test_every_listener_says_what_becomes_of_a_path_that_has_no_row() -> None:
    for listener in {row.listener for row in POLICY}:
        assert any(row.listener == listener and row.path == ELSEWHERE for row in POLICY)
