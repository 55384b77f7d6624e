"""The servers of the tests of stores, each started once a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actors.memory.servers import RedisServer, moto_server, redis_server


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[str]:
    """The URL of moto's server."""
    with moto_server() as url:
        yield url
