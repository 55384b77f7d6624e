"""Servers for the tests of stores: Redis, and moto for AWS; each is started once a module.

    with redis_server(folder) as server:
        server.url, server.kill(), server.start()
    with moto_server() as url:
        DynamoDbStore(table, region, url, credentials)

A test that needs one that is not installed is skipped, aloud.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from aybiza.actors.memory import dynamodb_store
from aybiza.config.ports import free_port

PASSWORD = "s3cret"
READY_SECONDS = 60.0


class RedisServer:
    """A server of one's own, without a disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = ["--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        options += ["--requirepass", PASSWORD, "--dir", str(self._folder)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(["redis-server", *options], stdout=quiet)
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.client.ping()
                return
            except redis.RedisError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.01)

    def kill(self) -> None:
        """It is gone at once, with all that it had."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(READY_SECONDS)
        self._process = None

    def freeze(self) -> None:
        """It answers nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self.client.close()
        if self._process is not None:
            self.thaw()
            self.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """See the module."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: what is kept in Redis goes untested")
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def demoted(server: RedisServer, port: int) -> Iterator[None]:
    """The server as the copy of another one, as after a failover: it refuses to be written to."""
    server.client.replicaof("127.0.0.1", str(port))
    try:
        yield
    finally:
        server.client.replicaof("NO", "ONE")


def lead_to(pool: Any, port: int) -> None:
    """Have what a pool opens from now on lead to another server, as a name that has changed."""
    pool.connection_kwargs["port"] = port
    kept = getattr(pool, "_connections", None)
    for connection in kept or [*pool._available_connections, *pool._in_use_connections]:
        connection.port = port


@contextmanager
def moto_server() -> Iterator[str]:
    """See the module; a thread of this process.

    It takes one request at a time, because moto's transactions are none to each other, and has more
    time than DynamoDB is given, because it copies a table for each.
    """
    pytest.importorskip("moto", reason="moto is not installed: DynamoDB goes untested")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dynamodb_store, "READ_SECONDS", READY_SECONDS)
            yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(READY_SECONDS)
        server.server_close()
