"""`python -m aybiza.emulators`, as a process."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from aybiza.console.emulated import URLS
from aybiza.emulators.__main__ import main

NAMES = set(URLS)


@asynccontextmanager
async def started(*arguments: str, **how: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aybiza.emulators", *arguments, stdout=asyncio.subprocess.PIPE, **how
    )
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def urls(process: asyncio.subprocess.Process) -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = json.loads(await process.stdout.readline())
    return found


async def test_it_prints_where_both_accept_connections_and_ends_by_sigterm() -> None:
    async with started("--first-token-ms", "250", "--jitter", "0.1") as process:
        found = await urls(process)
        assert set(found) == NAMES
        async with httpx.AsyncClient(trust_env=False) as client:
            url = found["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
            pace = (await client.get(f"{url}/_emulator/pace")).json()
        assert (pace["first_token_ms"], pace["jitter"]) == (250, 0.1)
        address = found["DEEPGRAM_URL"].removeprefix("ws://").rstrip("/")
        host, _, port = address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_what_tools_stand_on_is_there_when_it_is_asked_for() -> None:
    async with started("--services") as process:
        found = await urls(process)
        assert set(found) > NAMES
        async with httpx.AsyncClient(trust_env=False) as client:
            described = (await client.get(f"{found['CRM_URL']}/openapi.json")).json()
        assert described["openapi"].startswith("3.")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_it_ends_when_its_standard_input_closes() -> None:
    async with started(stdin=asyncio.subprocess.PIPE) as process:
        await urls(process)
        assert process.stdin is not None
        process.stdin.write(b"this is not the end\n")
        process.stdin.close()
        assert await process.wait() == 0


async def test_it_goes_on_when_nobody_holds_its_standard_input() -> None:
    async with started(stdin=asyncio.subprocess.DEVNULL) as process:
        found = await urls(process)
        async with httpx.AsyncClient(trust_env=False) as client:
            url = found["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
            assert (await client.get(f"{url}/_emulator/health")).json()["ok"]
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_it_ends_when_its_parent_is_gone() -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'emulators'],"
        " stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
        "print(child.pid, child.stdout.readline().decode(), flush=True)\n"
        "os._exit(0)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        output, _ = await parent.communicate()
        try:
            descriptor = os.pidfd_open(int(output.split()[0]))
        except ProcessLookupError:
            return
        ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(descriptor, ended.set_result, None)
        try:
            await ended
        except BaseException:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            raise
        finally:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)


async def test_a_port_that_is_taken_is_said_and_exits_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with started("--bedrock-port", port, stderr=asyncio.subprocess.PIPE) as process:
            output, errors = await process.communicate()
    assert (output, process.returncode) == (b"", 1)
    assert b"could not start" in errors and port.encode() in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["--engine", "human"],
        ["--first-token-ms", "-1"],
        ["--per-delta-ms", "soon"],
        ["--jitter", "2"],
        ["--bedrock-port", "70000"],
        ["--deepgram-port", "80.5"],
        ["--speed", "9"],
    ],
)
def test_wrong_arguments_are_named_and_exit_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["--help"])
    assert exited.value.code == 0
    assert "python -m aybiza.emulators --engine scripted" in capsys.readouterr().out
