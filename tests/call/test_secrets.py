"""No secret of a node is ever shown: not in its log, whatever fails, nor to its operators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from aybiza.actors import names
from aybiza.config import logs
from aybiza.config.settings import FIELDS, is_secret, load
from aybiza.console.cli import app
from aybiza.console.control import control
from aybiza.console.node import Node
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.webhook import signature
from tests.call.caller import LIMIT
from tests.call.kit import AGENT, Desk, World, world
from tests.call.steps import hang_up, script_of, text

pytestmark = pytest.mark.real_time

MARK = "5ec4e7"
"""What every secret of these tests holds."""

SECRETS = {name: f"{MARK}-{name.lower()}" for name in FIELDS if is_secret(name)}
SECRETS["AYBIZA_RECORDINGS_KEY"] = f"{MARK:0<64}"
REDIS = f"redis://{MARK}-user:{MARK}-password@127.0.0.1:1/0"
COOKIE = f"{MARK}-cookie-of-the-cluster"
TOKEN = SECRETS["TWILIO_AUTH_TOKEN"]
CONSOLE = {"Authorization": f"Bearer {SECRETS['AYBIZA_CONSOLE_TOKEN']}"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A value that can be recognised in each setting that holds a secret."""
    cookie = tmp_path / "cookie"
    cookie.write_text(COOKIE)
    cookie.chmod(0o600)
    return {**SECRETS, "REDIS_URL": REDIS, "AYBIZA_COOKIE_FILE": str(cookie)}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """All that is logged, at the level that tells most."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    logs.start("debug", "json", descriptor)
    yield path
    logs.stop()
    structlog.reset_defaults()
    os.close(descriptor)


def written(log: Path) -> str:
    """What the log holds, to the last line."""
    logs.stop()
    return log.read_text()


def shown(told: str) -> list[str]:
    """The secrets in a text, each with what stands around it."""
    pieces = told.split(MARK)
    return [before[-60:] + MARK + behind[:60] for before, behind in pairwise(pieces)]


async def told_to_operators(place: World) -> str:
    """What a node tells of itself and of each of its processes."""
    answers: list[Any] = [await control(place.vm, {"op": "tree"})]
    for pid in place.vm.processes():
        with contextlib.suppress(ValueError):  # it has ended meanwhile
            answers.append(await control(place.vm, {"op": "observe", "process": str(pid)}))
    async with httpx.AsyncClient(base_url=place.node.http_url, trust_env=False) as client:
        pages = [await client.get("/metrics", headers=CONSOLE), await client.get("/readyz")]
    return json.dumps(answers, default=repr) + "".join(page.text for page in pages)


async def test_a_call_whose_every_part_fails_shows_none(
    tmp_path: Path, environment: dict[str, str], log: Path
) -> None:
    tokens: list[str] = []
    variables = cast(Any, {**environment, "AYBIZA_LOG_TRANSCRIPTS": "true"})
    async with world(tmp_path, voice_speed=3, **variables) as place:
        admission = place.node._admission
        issue = admission._tokens.issue

        def issued(call_id: str, told: Mapping[str, str]) -> str:
            tokens.append(issue(call_id, told))
            return tokens[-1]

        admission._tokens.issue = issued  # type: ignore[method-assign, assignment]
        steps = (text("Hello.", quiet_ms=400), hang_up(quiet_ms=800))
        async with place.call(*steps, auth_token=TOKEN) as call:
            await call.until(lambda: call.is_speaking(0, 1))
            told = await told_to_operators(place)
            for part in (names.call, names.speaker, names.transcriber, names.session):
                place.crash(part(call.call_id))
                await asyncio.sleep(0)
            place.crash("media_server")
            place.crash("http_server")
            await call.until(lambda: bool(call.state))
            call.drop()
            await call.over()
            told += await told_to_operators(place)
        async with httpx.AsyncClient(base_url=place.node.http_url, trust_env=False) as client:
            await client.get("/metrics", headers={"Authorization": f"Bearer {MARK}-wrong"})
            form = {"CallSid": "CA1"}
            given = signature(f"{MARK}-other", f"{place.node.http_url}/incoming", form)
            await client.post("/incoming", data=form, headers={"X-Twilio-Signature": given})
    lines = written(log)
    assert "crash" in lines
    assert shown(lines + told) == []
    assert len(tokens) >= 2
    assert [token for token in tokens if token in lines + told] == []


async def test_a_call_without_providers_shows_none(
    tmp_path: Path, environment: dict[str, str], log: Path
) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:1",
        "DEEPGRAM_URL": "ws://127.0.0.1:1",
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
    }
    async with Node(load({**environment, **nowhere}), AGENT, Desk()) as node:
        script = script_of([{"after_ms": 1500, "hangup": True}])
        async with Phone(script=script, http=node.http_url, auth_token=TOKEN) as phone:
            async with asyncio.timeout(2 * LIMIT):
                await phone.run()
        async with httpx.AsyncClient(base_url=node.http_url, trust_env=False) as client:
            await client.post("/incoming", data={"CallSid": "CA1"})
            told = (await client.get("/metrics", headers=CONSOLE)).text
    lines = written(log)
    assert "rate_limit_alone" in lines
    assert shown(lines + told) == []


def test_the_settings_are_shown_without_them(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for arguments in ([], ["--json"], ["--explain"], ["--check"], ["--check", "--json"]):
        result = CliRunner().invoke(app, ["config", *arguments])
        assert result.exit_code in (0, 1)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "hidden" in result.output or "--check" in arguments
        assert shown(result.output) == []
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", f"{MARK} {MARK}")
    monkeypatch.setenv("REDIS_URL", f"http://{MARK}:{MARK}@host")
    result = CliRunner().invoke(app, ["config"])
    assert result.exit_code == 2
    assert shown(result.output) == []


def test_every_setting_that_holds_a_secret_is_among_them() -> None:
    assert {"TWILIO_AUTH_TOKEN", "AYBIZA_CONSOLE_TOKEN", "DEEPGRAM_API_KEY"} < set(SECRETS)
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} < set(SECRETS)
