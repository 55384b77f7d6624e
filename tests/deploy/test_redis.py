"""Redis as the composition starts it, over TLS and for a password only, as a node reaches it."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs

from aybiza.config.ports import free_port
from aybiza.gateway.admission import rate_limit
from aybiza.gateway.admission.rate_limit import RateLimit
from tests.deploy.kit import DEPLOY, run, text_of, tool

COMPOSE = yaml.safe_load(text_of("docker/compose.yaml"))
REDIS, NODE = COMPOSE["services"]["redis"], COMPOSE["services"]["node"]
SECRETS = "/run/secrets/"
PASSWORD = "7d1c9f-of-the-test"
SCRIPT = DEPLOY / "docker" / "redis-certificate.sh"


@dataclass(frozen=True)
class Server:
    """Where it listens; `folder` has what its authority has made, `others` another authority."""

    port: int
    folder: Path
    others: Path

    def url(self, host: str = "127.0.0.1", authority: Path | None = None) -> str:
        """A node's URL of it, as the composition has it."""
        given = re.sub(r"\$\{\w+:\?[^}]*\}", PASSWORD, NODE["environment"]["REDIS_URL"])
        path = authority or self.folder / "redis-authority.pem"
        at = f"@{host}:{self.port}/"
        return given.replace("@redis:6379/", at).replace(f"{SECRETS}redis-authority.pem", str(path))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The composition's server, on another port."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    folder, others = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("others")
    for place in (folder, others):
        made = run("sh", str(SCRIPT), str(place))
        assert made.returncode == 0, made.stderr
    port = free_port()
    (command,) = re.findall(r"^exec (redis-server .*)$", REDIS["command"][-1])
    command = command.replace("$$REDISCLI_AUTH", PASSWORD).replace(SECRETS, f"{folder}/")
    words = shlex.split(command.replace("--tls-port 6379", f"--tls-port {port}"))
    words += ["--dir", str(folder), "--bind", "127.0.0.1", "127.0.0.2"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        try:
            _listens(port)
            yield Server(port, folder, others)
        finally:
            process.terminate()


def _listens(port: int) -> None:
    for _ in range(1000):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
    raise AssertionError("redis-server does not listen")


async def let_go() -> None:
    """Wait for the ends of TLS that redis-py does not wait for.

    A loop that stops before them leaves their sockets to the collector, in somebody else's test.
    """
    loop: Any = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        # The one that is left is the loop's own.
        while len(loop._selector.get_map()) > 1:  # noqa: ASYNC110 - a socket's end tells nobody
            await asyncio.sleep(0.005)


async def alone(url: str) -> bool:
    """Whether two nodes with this URL count each for itself."""
    one, other = RateLimit(2, url), RateLimit(2, url)
    with capture_logs() as logs:
        counted = [await each.hit(url[-40:]) for each in (one, other, other)]
    for each in (one, other):
        await each.aclose()
    await let_go()
    assert PASSWORD not in repr(logs)
    said = [line["event"] for line in logs]
    assert said in ([], ["rate_limit_alone"] * 2)
    assert (counted[-1] is None) == bool(said)
    return bool(said)


async def test_nodes_count_together_over_tls(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 10.0)
    assert not await alone(server.url())


@pytest.mark.parametrize("wrong", ["authority", "name", "password", "no TLS", "no authority"])
async def test_a_redis_that_is_not_the_one_is_told_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 10.0)
    urls = {
        "authority": server.url(authority=server.others / "redis-authority.pem"),
        "name": server.url("127.0.0.2"),
        "password": server.url().replace(PASSWORD, "another"),
        "no TLS": server.url().partition("?")[0].replace("rediss:", "redis:"),
        "no authority": server.url().partition("?")[0],
    }
    assert await alone(urls[wrong])


async def test_no_connection_reads_authorities_beside_calls(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 10.0)
    limit = RateLimit(1000, server.url())

    def reads(*_: Any, **__: Any) -> None:
        raise AssertionError("files are read, for 20 ms, on the loop")

    monkeypatch.setattr(ssl, "create_default_context", reads)
    with capture_logs() as logs:
        await asyncio.gather(*(limit.hit(str(number)) for number in range(8)))
    await limit.aclose()
    await let_go()
    assert logs == []


def test_the_key_is_its_owners_and_the_authoritys_is_kept_by_nobody(server: Server) -> None:
    assert (server.folder / "redis.key").stat().st_mode & 0o077 == 0
    keys = [path for path in server.folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert [path.name for path in keys] == ["redis.key"]
    verified = run(
        tool("openssl"),
        *("verify", "-CAfile", str(server.folder / "redis-authority.pem")),
        str(server.folder / "redis.pem"),
    )
    assert verified.returncode == 0, verified.stdout


def test_what_is_mounted_is_what_is_made_and_what_is_asked_for() -> None:
    made = set(re.findall(r"redis-authority\.pem|redis\.pem|redis\.key", SCRIPT.read_text()))
    files = {name: secret["file"] for name, secret in COMPOSE["secrets"].items()}
    assert files == {name: f"tls/{name}" for name in made}
    for service in (REDIS, NODE):
        asked = set(re.findall(rf"{SECRETS}([a-z.-]+)", yaml.safe_dump(service, width=10_000)))
        assert asked == set(service["secrets"])
